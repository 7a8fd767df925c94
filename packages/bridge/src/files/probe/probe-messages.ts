/** A picture or sound track of a recording, or what else runs beside them. */
export interface ProbedStream {
  kind: 'video' | 'audio' | 'other';
  /** As MediaInfo calls it, `AVC`; '' where it does not know. */
  codec: string;
  /** Pixels; of videos. */
  width: number;
  height: number;
}

export interface ProbedMedia {
  /** Seconds; undefined where the file does not say, as those recorded live. */
  seconds: number | undefined;
  /** At most `maxToldStreams` of them. */
  streams: readonly ProbedStream[];
  streamCount: number;
  /** It says itself that there should be more of it. */
  isCutOff: boolean;
}

export const maxToldStreams = 100;

/**
 * To the thread that probes: the path of a file, or its bytes. Each is answered before the next is sent. `maxRead`: bytes after which
 * what is known by then counts.
 */
export type ToProber = { content: string | Uint8Array<ArrayBuffer>; size: number; maxRead: number };

/** `memoryBytes`: what the parser has taken by now; it gives nothing back. */
export type FromProber = { media: ProbedMedia | undefined; memoryBytes: number };
