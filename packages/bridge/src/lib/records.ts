/** One collection of small texts that outlive the process, by key. Calls reject when they cannot be kept. */
export interface Records {
  read(): Promise<ReadonlyMap<string, string>>;
  write(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
}
