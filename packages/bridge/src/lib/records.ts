/** One collection of small texts that outlive the process, by key. Calls reject when they cannot be kept. */
export interface Records {
  read(): Promise<ReadonlyMap<string, string>>;
  write(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/**
 * What is kept beside the jobs, tens of thousands of small texts at most, in collections by name. What a text means is known to
 * its owner alone.
 */
export interface RecordCollections {
  /** Every record of a collection, by key. */
  readRecords(collection: string): Promise<ReadonlyMap<string, string>>;
  /**
   * All of them or none; one of the same key is replaced. Survives a kill of the process; with `durable`, a power cut too.
   */
  writeRecords(
    collection: string,
    entries: ReadonlyMap<string, string>,
    options?: { durable?: boolean },
  ): Promise<void>;
  readRecord(collection: string, key: string): Promise<string | undefined>;
  /** False, and nothing changed, when there is one of that key. Survives a kill of the process. */
  addRecord(collection: string, key: string, value: string): Promise<boolean>;
  /** Removes every record of a collection. */
  dropRecords(collection: string): Promise<void>;
  /** All of them or none; a key without a record is passed over. Survives a kill of the process, not a power cut. */
  removeRecords(collection: string, keys: readonly string[]): Promise<void>;
}
