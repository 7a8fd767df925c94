/** One event of an event stream. */
export interface ServerSentEvent {
  /** `message` when the stream names none. */
  event: string;
  data: string;
  /** The last id that the stream has given, with this event or before it; empty: none. */
  id: string;
}

export interface SseParser {
  /** The events that are complete with these bytes. */
  push(bytes: Uint8Array): ServerSentEvent[];
  /** How long to wait before coming back, in milliseconds, if the stream has said so. */
  readonly retry: number | undefined;
}

/** Characters of one event: more is no event stream of ours. */
const maxLength = 64 * 1024 * 1024;

/**
 * Decodes `text/event-stream` as the HTML standard says (9.2.6, "Interpreting an event stream"), however its bytes are cut:
 * lines end with LF, CR or CRLF, a byte order mark is passed over, and an event that the stream breaks off in is dropped.
 */
export function createSseParser(): SseParser {
  const decoder = new TextDecoder();
  let line = '';
  let endedWithCr = false;
  let data: string[] = [];
  let length = 0;
  let event = '';
  let id = '';
  let retry: number | undefined;

  function takeField(): void {
    const colon = line.indexOf(':');
    // A comment.
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') {
      data.push(value);
      length += value.length;
    } else if (name === 'event') event = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) retry = Number(value);
  }

  function takeLine(events: ServerSentEvent[]): void {
    if (line !== '') return takeField();
    if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n'), id });
    data = [];
    length = 0;
    event = '';
  }

  return {
    get retry() {
      return retry;
    },
    push(bytes) {
      const events: ServerSentEvent[] = [];
      const text = decoder.decode(bytes, { stream: true });
      // Only line breaks of this chunk are looked for: what is left of the last one has none.
      for (const [, content = '', end] of text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
        // The second half of a CRLF that was cut.
        if (endedWithCr && content === '' && end === '\n') {
          endedWithCr = false;
          continue;
        }
        if (content !== '' || end !== '') endedWithCr = false;
        line += content;
        if (length + line.length > maxLength) throw new Error('too long an event');
        if (end === '') continue;
        takeLine(events);
        line = '';
        endedWithCr = end === '\r';
      }
      return events;
    },
  };
}
