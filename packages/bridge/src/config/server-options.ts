import { basePath, corsOrigins, hostName, trustProxy } from './network-parsers.ts';
import type { Option } from './option.ts';
import { choice, filePath, logLevel, onOff, seconds, secret, wholeNumber } from './value-parsers.ts';

/** The bridge's own listener, its log and its operator. */
export const serverOptions = {
  HOST: {
    section: 'server',
    description:
      "Address to listen on. Anything but this machine's loopback makes the bridge reachable for others, and asks for keys (KEYS).",
    default: '127.0.0.1',
    parser: hostName,
  },
  PORT: {
    section: 'server',
    description: 'Port to listen on; 0 takes any free one.',
    default: '8000',
    parser: wholeNumber({ min: 0, max: 65_535 }),
  },
  CONFIG: {
    section: 'server',
    description:
      'Path of config.json. Without it, a config.json in the working directory is read when there is one.',
    default: undefined,
    defaultText: './config.json if it exists',
    parser: filePath,
    environmentOnly: true,
  },
  BASE_PATH: {
    section: 'server',
    description: 'Path under which a reverse proxy shows the bridge, when it is not the root of its host.',
    default: '/',
    parser: basePath,
  },
  TRUST_PROXY: {
    section: 'server',
    description:
      "Whose X-Forwarded-… headers to believe. Needed behind nginx to see the callers' own addresses.",
    default: 'none',
    parser: trustProxy,
  },
  CORS_ORIGINS: {
    section: 'server',
    description: 'Web pages of other origins that may call the bridge from a browser; * for all of them.',
    default: 'none',
    parser: corsOrigins,
  },
  SHUTDOWN_TIMEOUT: {
    section: 'server',
    description:
      'Seconds that a stop waits for answers under way. Jobs are kept and continue after the next start.',
    default: '10',
    parser: seconds({ min: 0, max: 600 }),
  },
  LOGGING_LEVEL: {
    section: 'logging',
    description: 'The least severe messages that are logged.',
    default: 'INFO',
    parser: logLevel,
  },
  LOG_FORMAT: {
    section: 'logging',
    description: 'json: one object per line. pretty: for people. auto: pretty on a terminal, else json.',
    default: 'auto',
    parser: choice('auto', 'json', 'pretty'),
  },
  KEYS: {
    section: 'operator',
    description:
      'Whether callers must send a key. auto: when HOST is more than this machine. Keys are made with "comfy-bridge keys create".',
    default: 'auto',
    parser: choice('auto', 'required', 'off'),
  },
  INSECURE: {
    section: 'operator',
    description:
      'on: KEYS=auto asks for no keys on a public address either, and whoever reaches the port may use it, as with the original. Also --insecure.',
    default: 'off',
    parser: onOff,
  },
  OPERATOR_TOKEN: {
    section: 'operator',
    description:
      'Secret that an operator sends as "Authorization: Bearer …". Without it, operators\' calls work from this machine only, and POST /free for everybody.',
    default: undefined,
    parser: secret(16),
    secret: true,
  },
} satisfies Record<string, Option>;
