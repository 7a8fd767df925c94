export interface CurlRequest {
  /** With the base path, if the bridge has one. */
  bridgeUrl: string;
  alias: string;
  /** By name (`FormField.name`) or key. */
  values: Readonly<Record<string, unknown>>;
  /** Waits, writes the one picture into that file, and says of what type the answer is: JSON where it was no picture. */
  saveAs?: string | undefined;
}

/** A line for a POSIX shell that submits a job. */
export function toCurl({ bridgeUrl, alias, values, saveAs }: CurlRequest): string {
  const url = `${bridgeUrl.trim().replace(/\/+$/, '')}/api/bridge/workflows/${encodeURIComponent(alias)}/jobs`;
  const parts = [`curl -sS -X POST ${quote(url)}`, `-H 'Content-Type: application/json'`];
  if (saveAs !== undefined)
    parts.push(
      `-H 'Prefer: wait=300' -H 'Accept: image/*'`,
      `-o ${quote(saveAs)} -w '%{http_code} %{content_type}\\n'`,
    );
  parts.push(`-d ${quote(JSON.stringify({ inputs: values }))}`);
  return parts.join(' \\\n  ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
