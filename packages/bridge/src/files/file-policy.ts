import { defaultAllowedTypes, parseAllowedTypes, toResultAllowed } from './allowed-types.ts';
import { defaultImageLimits } from './check-file.ts';
import type { FilePolicy } from './collect-result.ts';
import { defaultCodecs } from './probe/judge-media.ts';
import type { MediaProbe } from './probe/media-probe.ts';
import type { FileScan } from './scan/file-scan.ts';

type Plain = Pick<FilePolicy, 'maxPixels' | 'stripMetadata' | 'reencodeImages' | 'stripResults'>;

export interface FilePolicySettings extends Plain {
  allowedTypes: unknown;
  maxMediaSeconds: number;
  /** As MediaInfo calls them; undefined: the built-in list. */
  allowedCodecs: readonly string[] | undefined;
}

/**
 * What may come in from clients and go out to them, from the configured MIME types (checked with the other settings), codecs and
 * limits.
 */
export function createFilePolicy(
  {
    probe,
    scan,
    onIgnored,
  }: {
    probe: MediaProbe['probe'];
    scan: FileScan | undefined;
    onIgnored: (reason: string) => void;
  },
  settings: FilePolicySettings,
): FilePolicy {
  const { allowedTypes, maxMediaSeconds, allowedCodecs } = settings;
  const { maxPixels, stripMetadata, reencodeImages, stripResults } = settings;
  const parsed = allowedTypes === undefined ? undefined : parseAllowedTypes(allowedTypes);
  if (parsed?.ok === true) parsed.ignored.forEach(onIgnored);
  const allowed = parsed?.ok === true ? parsed.allowed : defaultAllowedTypes;
  const codecs = new Set((allowedCodecs ?? defaultCodecs).map((codec) => codec.toLowerCase()));
  return {
    ...defaultImageLimits,
    ...{ maxPixels, allowed, stripMetadata, reencodeImages, stripResults },
    resultAllowed: toResultAllowed(allowed),
    media: { probe, maxSeconds: maxMediaSeconds, codecs },
    ...(scan === undefined ? {} : { scan }),
  };
}
