import type { BridgeConfig } from './config/bridge-config.ts';
import type { FilePolicy } from './files/collect-result.ts';
import { createFilePolicy } from './files/file-policy.ts';
import { createMediaProbe } from './files/probe/media-probe.ts';
import { createFileScan } from './files/scan/file-scan.ts';
import type { Logger } from './logging.ts';

export interface FilePolicyParts extends AsyncDisposable {
  readonly policy: FilePolicy;
}

/** A part of the composition root: what is asked of every file that comes in, from clients and from backends. */
export function buildFilePolicy(settings: BridgeConfig['files'], log: Logger): FilePolicyParts {
  const media = createMediaProbe({
    onLost: (err) => log.warn({ err }, 'a sound or video could not be looked into'),
  });
  const { clamav: address, clamavRequired: required } = settings;
  const scan =
    address &&
    createFileScan(
      {
        onInfected: (file) => log.warn(file, 'an infected file was refused'),
        onUnavailable: (err) => log.error({ err }, 'the virus scanner could not be asked'),
      },
      { address, required },
    );
  const policy = createFilePolicy(
    {
      probe: (content, size, contentType) => media.probe(content, size, contentType),
      scan,
      onIgnored: (reason) => log.warn({ reason }, 'ALLOWED_MIME_TYPE_EXTENSION_MAP: an entry has no effect'),
    },
    settings,
  );
  return { policy, [Symbol.asyncDispose]: () => media[Symbol.asyncDispose]() };
}
