import type { ProbedMedia, ProbedStream } from './probe-messages.ts';

export interface MediaLimits {
  maxSeconds: number;
  /** Lower case; as MediaInfo calls them. */
  codecs: ReadonlySet<string>;
  /** Of one picture. */
  maxPixels: number;
  /** Of either side. */
  maxDimension: number;
}

/** What ComfyUI reads and writes. */
export const defaultCodecs: readonly string[] = [
  ...[
    'AVC',
    'HEVC',
    'AV1',
    'VP8',
    'VP9',
    'MPEG-4 Visual',
    'MPEG Video',
    'ProRes',
    'Theora',
    'JPEG',
    'FFV1',
    'H.263',
  ],
  ...[
    'AAC',
    'MPEG Audio',
    'Opus',
    'Vorbis',
    'FLAC',
    'PCM',
    'ALAC',
    'ADPCM',
    'AC-3',
    'E-AC-3',
    'Speex',
    'AMR',
  ],
];

/** Pictures, sounds, subtitles, time codes: nobody needs more of them in one file. */
const maxStreams = 32;

/** Why a recording is refused; undefined when it is fine. `wanted`: what its type says that it holds. */
export function judgeMedia(
  media: ProbedMedia | undefined,
  wanted: 'audio' | 'video',
  { maxSeconds, codecs, maxPixels, maxDimension }: MediaLimits,
): string | undefined {
  if (media === undefined) return 'it cannot be read as sound or video: it is damaged or too complex';
  const { seconds, streams, streamCount, isCutOff } = media;
  // Of sound alone it may only be that a tag says something else, and players cope with less.
  if (isCutOff && wanted === 'video') return 'it is cut off: there should be more of it';
  if (streamCount > maxStreams) return `it holds ${streamCount} streams; at most ${maxStreams} are allowed`;
  const playing = streams.filter(({ kind }) => kind !== 'other');
  // A file of the type of a video may be sound alone.
  if (playing.length === 0 || (wanted === 'audio' && !playing.some(({ kind }) => kind === 'audio')))
    return `it holds no ${wanted === 'audio' ? 'sound' : 'picture and no sound'}`;
  if (seconds !== undefined && seconds > maxSeconds)
    return `it lasts ${Math.ceil(seconds)} seconds; at most ${maxSeconds} are allowed`;
  for (const stream of playing) {
    const reason = judgeStream(stream, { codecs, maxPixels, maxDimension });
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function judgeStream(
  { kind, codec, width, height }: ProbedStream,
  { codecs, maxPixels, maxDimension }: Omit<MediaLimits, 'maxSeconds'>,
): string | undefined {
  const what = kind === 'video' ? 'picture' : 'sound';
  if (codec === '') return `its ${what} is coded in no known way`;
  if (!codecs.has(codec.toLowerCase()))
    return `its ${what} is coded as ${codec}; allowed are ${[...codecs].join(', ')}`;
  if (kind !== 'video') return undefined;
  if (width === 0 || height === 0) return 'the size of its picture is unknown: it is damaged';
  if (width > maxDimension || height > maxDimension || width * height > maxPixels)
    return `its picture is ${width}×${height} pixels, which is too large`;
  return undefined;
}
