import { bridgeUrl } from './base-url.ts';
import { CallError, readDetail } from './call.ts';
import { currentSecret } from './secret.ts';

export interface SentRequest {
  method: 'POST' | 'PATCH';
  path: string;
  headers?: Readonly<Record<string, string>>;
  body: Blob | FormData;
  /** Bytes of the body that are on their way. */
  onProgress(sent: number): void;
  signal: AbortSignal;
}

export interface SentAnswer {
  status: number;
  text: string;
  header(name: string): string | null;
}

/** A line on which nothing moves for so long is cut. */
const stalledMs = 30_000;
/** The bridge looks at the whole file before it answers, and may have others to look at. */
const checkedMs = 180_000;

/** `fetch` does not tell how much of a body was sent; this does. Throws `CallError` (status 0: the line was lost) and `AbortError`. */
export function sendByXhr({
  method,
  path,
  headers = {},
  body,
  onProgress,
  signal,
}: SentRequest): Promise<SentAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<SentAnswer>();
  const xhr = new XMLHttpRequest();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function lose(): void {
    reject(new CallError('', 0));
    xhr.abort();
  }
  function wait(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(lose, ms);
  }
  function cancel(): void {
    reject(new DOMException('canceled', 'AbortError'));
    xhr.abort();
  }

  xhr.upload.addEventListener('progress', ({ loaded }) => {
    wait(stalledMs);
    onProgress(loaded);
  });
  xhr.upload.addEventListener('load', () => wait(checkedMs));
  xhr.addEventListener('error', lose);
  xhr.addEventListener('load', () => {
    const answer = {
      status: xhr.status,
      text: xhr.responseText,
      header: (name: string) => xhr.getResponseHeader(name),
    };
    if (xhr.status < 400) resolve(answer);
    else reject(new CallError(readDetail(answer.text) ?? `${xhr.status} ${xhr.statusText}`, xhr.status));
  });
  if (signal.aborted) cancel();
  else {
    signal.addEventListener('abort', cancel);
    window.addEventListener('offline', lose);
    xhr.open(method, bridgeUrl(path));
    xhr.setRequestHeader('Authorization', `Bearer ${currentSecret()}`);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    wait(stalledMs);
    xhr.send(body);
  }
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    window.removeEventListener('offline', lose);
  });
}
