/** One thing that was looked at. */
export interface Finding {
  about: 'settings' | 'keys' | 'data' | 'bridge' | 'backend' | 'workflow' | 'proxy';
  /** Which of them: the name of a backend, of a workflow, of a check. */
  name: string;
  /** `skip`: it could not be looked at. */
  level: 'ok' | 'warn' | 'fail' | 'skip';
  text: string;
  /** What to do about it. */
  fix?: string;
}

export type Report = (finding: Finding) => void;
