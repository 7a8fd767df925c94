import type { Page } from 'playwright-core';

/** What the editors say by themselves, with or without an extension, and why it is no fault of ours. */
const ofTheEditor: { text: RegExp; why: string }[] = [
  { text: /\/user\.css/, why: 'every editor asks for a style sheet of the user, which few have' },
  { text: /legacy queue\/history menu is deprecated/, why: 'the editor builds its old menu, hidden' },
  { text: /ComfyApp\.open_maskeditor is deprecated/, why: 'its own mask editor calls what it deprecated' },
  { text: /ComfyApp graph accessed before initialization/, why: '1.45 looks at the graph while it starts' },
  { text: /Invalid layout total size/, why: '1.58 gives its splitter sizes that do not make 100 %' },
  { text: /input\.link is deprecated/, why: '1.58 reads, once, what it deprecated itself' },
  {
    text: /Cannot read properties of undefined \(reading 'id'\)\s+at onChange/,
    why: '1.27 stores a setting at its start that it has not registered yet',
  },
];

export interface ConsoleLog {
  /** What came since it was last asked for, without what the editor says anyway. */
  take(expected?: RegExp[]): string[];
}

/** Collects errors and warnings of the console, and exceptions that nobody caught. */
export function watchConsole(page: Page): ConsoleLog {
  let lines: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    lines.push(`${message.type()}: ${message.text().slice(0, 500)} (${message.location().url})`);
  });
  page.on('pageerror', (error) => {
    lines.push(`exception: ${error.stack?.slice(0, 800) ?? error.message}`);
  });
  return {
    take(expected = []) {
      const taken = lines;
      lines = [];
      const known = [...ofTheEditor.map(({ text }) => text), ...expected];
      return [...new Set(taken)].filter((line) => !known.some((text) => text.test(line)));
    },
  };
}
