// What HEALTHCHECK runs: 0 while the bridge answers.
const { PORT = '8000', BASE_PATH = '/' } = process.env;
const base = `http://127.0.0.1:${PORT}${BASE_PATH.replace(/\/+$/, '')}`;
const answer = await fetch(`${base}/healthz`, { signal: AbortSignal.timeout(4_000) }).catch(() => undefined);
process.exitCode = answer?.ok === true ? 0 : 1;
