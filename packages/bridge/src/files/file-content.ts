/** What is to be checked: the path of a file, or the bytes themselves where they are in memory anyway. */
export type FileContent = string | Buffer;
