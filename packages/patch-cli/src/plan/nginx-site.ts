import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

/** What a site file is made from; each field was checked by `parseNginxSite`, so nothing else can get into the file. */
export interface NginxSite {
  serverName: string;
  /** `80`, `127.0.0.1:8443`, `[::]:443`. */
  listen: string;
  /** `host:port` of ComfyUI. */
  upstream: string;
  tls: { certificate: string; key: string } | undefined;
  /** `/gpu-1`; empty at the root. */
  basePath: string;
  /** As nginx writes it: `256m`. */
  maxBody: string;
}

export interface NginxParameters {
  serverName: string | undefined;
  listen: string | undefined;
  upstream: string | undefined;
  tlsCert: string | undefined;
  tlsKey: string | undefined;
  basePath: string | undefined;
  maxBody: string | undefined;
}

export type ParsedSite = { ok: true; site: NginxSite } | { ok: false; problems: string[] };

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const hostName = new RegExp(String.raw`^${label}(?:\.${label})*$`);
const serverNamePattern = new RegExp(String.raw`^(?:_|(?:\*\.)?${label}(?:\.${label})*)$`);

/** Checks every parameter, and names everything that is wrong at once. */
export function parseNginxSite(parameters: NginxParameters): ParsedSite {
  const { tlsCert, tlsKey } = parameters;
  const serverName = parameters.serverName ?? '_';
  const listen = parameters.listen ?? (tlsCert === undefined ? '80' : '443');
  const upstream = parameters.upstream ?? '127.0.0.1:8188';
  const maxBody = parameters.maxBody ?? '256m';
  const basePath = (parameters.basePath ?? '').replace(/\/$/, '');
  const problems: string[] = [];
  if (!serverNamePattern.test(serverName) || serverName.length > 253)
    problems.push('--server-name is one host name, such as gpu.example, *.example or _ (any)');
  if (!isListen(listen))
    problems.push('--listen is a port, or address:port, such as 443 or 127.0.0.1:8443 or [::]:80');
  if (!isHostAndPort(upstream)) problems.push('--upstream is host:port, such as 127.0.0.1:8188');
  if (!/^(?:0|[1-9]\d{0,6}[kmg]?)$/i.test(maxBody))
    problems.push('--max-body is a size such as 256m; 0 is no limit');
  if (!isBasePath(basePath)) problems.push('--base-path is a path such as /gpu-1');
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    problems.push('--tls-cert and --tls-key go together');
  for (const [name, path] of [
    ['--tls-cert', tlsCert],
    ['--tls-key', tlsKey],
  ] as const)
    if (path !== undefined && !isPlainPath(path))
      problems.push(`${name} is an absolute path without quotes, $, backslashes, braces or semicolons`);
  if (problems.length > 0) return { ok: false, problems };
  const tls =
    tlsCert === undefined || tlsKey === undefined ? undefined : { certificate: tlsCert, key: tlsKey };
  return { ok: true, site: { serverName, listen, upstream, tls, basePath, maxBody: maxBody.toLowerCase() } };
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function splitPort(text: string): { host: string; port: string } | undefined {
  const bracketed = /^\[([^\]]+)\]:(\d+)$/.exec(text);
  if (bracketed !== null)
    return isIP(bracketed[1] ?? '') === 6 && !bracketed[1]?.includes('%')
      ? { host: bracketed[1] ?? '', port: bracketed[2] ?? '' }
      : undefined;
  const [host = '', port = '', ...rest] = text.split(':');
  return rest.length === 0 ? { host, port } : undefined;
}

function isListen(text: string): boolean {
  if (isPort(text)) return true;
  const parts = splitPort(text);
  return parts !== undefined && (parts.host === '*' || isIP(parts.host) !== 0) && isPort(parts.port);
}

function isHostAndPort(text: string): boolean {
  const parts = splitPort(text);
  return parts !== undefined && (isIP(parts.host) !== 0 || hostName.test(parts.host)) && isPort(parts.port);
}

function isBasePath(text: string): boolean {
  if (text === '') return true;
  const segments = text.split('/').slice(1);
  const isPlain = (segment: string) => /^[A-Za-z0-9._~-]+$/.test(segment) && !/^\.+$/.test(segment);
  return text.startsWith('/') && text.length <= 200 && segments.every(isPlain);
}

function isPlainPath(text: string): boolean {
  return /^(?:\/|[A-Za-z]:\/)[^"'$;{}\\\p{Cc}]{1,500}$/u.test(text);
}

/** A file for conf.d or sites-enabled: complete, with nothing to change in it. */
export function renderNginxSite({ serverName, listen, upstream, tls, basePath, maxBody }: NginxSite): string {
  // Of its own, so that several sites can stand side by side; short, since nginx has little room for names of variables.
  const hash = createHash('sha256').update(`${serverName} ${listen} ${basePath}`).digest('hex');
  const name = `comfy_bridge_${hash.slice(0, 8)}`;
  const tlsLines =
    tls === undefined
      ? []
      : [
          `    ssl_certificate "${tls.certificate}";`,
          `    ssl_certificate_key "${tls.key}";`,
          '    ssl_protocols TLSv1.2 TLSv1.3;',
        ];
  const toBase =
    basePath === '' ? [] : ['', `    location = ${basePath} {`, `        return 308 ${basePath}/;`, '    }'];
  return `# A lent ComfyUI behind nginx, written by comfy-bridge-patch nginx. Start it with main_adapted.py and a token: nothing here
# keeps strangers out.

map $http_upgrade $${name}_connection {
    default upgrade;
    ''      '';
}

upstream ${name} {
    server ${upstream};
    keepalive 16;
}

server {
${[
  `    listen ${listen}${tls === undefined ? '' : ' ssl'};`,
  `    server_name ${serverName};`,
  ...tlsLines,
  '',
  '    # Of one request; maxBodyMb of donor.json holds as well.',
  `    client_max_body_size ${maxBody};`,
  ...toBase,
].join('\n')}

    location ${basePath}/ {
        proxy_pass http://${name}${basePath === '' ? '' : '/'};
        proxy_http_version 1.1;

        # The name and port that the caller used, and its address: without them everybody would seem to be the owner, at this
        # machine.
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;

        # WebSocket
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $${name}_connection;

        # Uploads go on as they come in, and results come no faster than the caller takes them.
        proxy_request_buffering off;
        proxy_buffering off;

        # Longer than a WebSocket is silent while one node works.
        proxy_read_timeout 3600s;
        proxy_send_timeout 3600s;
    }
}
`;
}
