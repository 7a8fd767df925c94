/**
 * What these tests use of a browser from inside its page, as `(globalThis as unknown as PageWindow)`: the types of browsers
 * themselves would be everywhere in the tests, beside those of Node.js with the same names.
 */
export interface PageWindow {
  scrollTo(x: number, y: number): void;
  document: {
    documentElement: { scrollWidth: number; clientWidth: number };
    body: PageElement;
    activeElement: unknown;
    querySelector(selector: string): PageElement | null;
    dispatchEvent(event: Event): boolean;
  };
  navigator: {
    clipboard: { readText(): Promise<string>; write(items: object[]): Promise<void> };
  };
  DataTransfer: new () => { items: { add(file: File): unknown } };
  ClipboardItem: new (forms: Record<string, Blob>) => object;
}

export type PageElement = object;

/** Zero until it is there. */
export interface PageImage {
  naturalWidth: number;
}
