export interface SseParser {
  push(chunk: string): void;
  /** Whether anything has come yet. */
  hasRead(): boolean;
}

/** Longer than any event of the bridge (a preview picture in base64). */
const maxEventLength = 16 * 1024 * 1024;

/** The event stream format of the HTML standard, as far as the bridge writes it. */
export function createSseParser(onEvent: (name: string, data: string) => void): SseParser {
  let rest = '';
  let name = 'message';
  let data: string[] = [];
  let hasRead = false;

  function readLine(line: string): void {
    if (line === '') {
      if (data.length > 0) onEvent(name, data.join('\n'));
      name = 'message';
      data = [];
    } else if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
  }

  return {
    push(chunk) {
      hasRead = true;
      rest += chunk;
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      if (rest.length > maxEventLength) throw new Error('an event of the bridge has no end');
      for (const line of lines) readLine(line);
    },
    hasRead: () => hasRead,
  };
}
