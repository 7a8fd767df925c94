import type { JobInputs, V2Job, WorkflowDetail } from '@comfy-bridge/protocol';
import { computed, onScopeDispose, reactive, ref, shallowRef, watch } from 'vue';
import type { ComputedRef, Ref } from 'vue';

import { CallError, call } from '../../../bridge/call.ts';
import { usePage } from '../../../state/page.ts';
import { checkForm } from './check-values.ts';
import type { Problem } from './check-values.ts';
import { keepDraft, readDraft, takeDraft, toDraft } from './draft.ts';
import type { Field } from './form-model.ts';
import { defaultValues, drawSeeds, takeValues, toInputs } from './form-values.ts';
import type { FormValues } from './form-values.ts';
import { parseShareText, toShareText } from './share-link.ts';
import { createSubmitter, inputErrorsOf } from './submit-job.ts';
import { useUploads } from './use-uploads.ts';
import type { Uploads } from './use-uploads.ts';

/** What stands beside a field: a finding of the page, or the bridge's own words. */
export type FieldError = Problem | { code: 'refused'; message: string };

export interface RunForm {
  readonly fields: readonly Field[];
  readonly form: FormValues;
  readonly uploads: Uploads;
  /** By the names of the fields, once the form was sent or left wrong. */
  readonly errors: ComputedRef<ReadonlyMap<string, FieldError>>;
  /** Why the bridge took it not, where no single field is to blame. */
  readonly refusal: Readonly<Ref<CallError | undefined>>;
  readonly isBusy: Readonly<Ref<boolean>>;
  /** The job; undefined when there are errors, which are then shown. */
  submit(): Promise<V2Job | undefined>;
  /** The person leaves a field: what is wrong with it is said from now on. */
  leave(name: string): void;
  reset(): void;
  /** Values of a link, or of a job that ran. */
  take(from: { share: string } | { job: JobInputs }): boolean;
  /** Undefined when it would be too long. */
  share(): string | undefined;
}

const draftPauseMs = 300;

export function useRunForm(workflow: WorkflowDetail, fields: readonly Field[]): RunForm {
  const { alias } = workflow;
  const page = usePage();
  const form: FormValues = reactive(defaultValues(fields));
  const uploads = useUploads(form, {
    maxBytes: () =>
      page.standing.value.kind === 'known'
        ? page.standing.value.me.limits.upload_max_bytes
        : Number.MAX_SAFE_INTEGER,
  });
  const submitter = createSubmitter(alias);
  const isBusy = ref(false);
  const refusal = shallowRef<CallError>();
  const refused = shallowRef<ReadonlyMap<string, string>>(new Map());
  const wasSent = ref(false);
  const left = reactive(new Set<string>());

  const problems = computed(() => checkForm(fields, form));
  const errors = computed(() => {
    const shown = new Map<string, FieldError>();
    for (const { name } of fields) {
      const problem = problems.value.get(name);
      const message = refused.value.get(name);
      if (problem !== undefined && (wasSent.value || left.has(name))) shown.set(name, problem);
      else if (message !== undefined) shown.set(name, { code: 'refused', message });
    }
    return shown;
  });

  const kept = readDraft(alias);
  if (kept !== undefined) takeDraft(fields, form, kept);
  keepDraftOf(alias, form);

  function clearRefusal(): void {
    refusal.value = undefined;
    refused.value = new Map();
  }
  // What the bridge said was of what was sent then.
  watch(() => [form.values, form.files], clearRefusal, { deep: true, flush: 'sync' });

  async function submit(): Promise<V2Job | undefined> {
    if (isBusy.value) return undefined;
    wasSent.value = true;
    clearRefusal();
    if (problems.value.size > 0) return undefined;
    isBusy.value = true;
    const signature = signatureOf(fields, form);
    try {
      const job = await submitter.submit({
        signature,
        makeInputs() {
          drawSeeds(fields, form);
          return toInputs(fields, form);
        },
      });
      wasSent.value = false;
      left.clear();
      return job;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      refused.value = inputErrorsOf(error);
      refusal.value = error;
      return undefined;
    } finally {
      isBusy.value = false;
    }
  }

  function reset(): void {
    for (const name of Object.keys(form.files)) uploads.remove(name);
    Object.assign(form, defaultValues(fields));
    wasSent.value = false;
    left.clear();
    clearRefusal();
  }

  return {
    fields,
    form,
    uploads,
    errors,
    refusal,
    isBusy,
    submit,
    reset,
    leave(name) {
      // A file that is on its way is no mistake yet.
      if (fields.find((field) => field.name === name)?.kind !== 'file') left.add(name);
    },
    take(from) {
      const given = 'share' in from ? parseShareText(from.share) : from.job.inputs;
      if (given === undefined) return false;
      reset();
      takeValues(fields, form, given);
      if ('job' in from) takeFiles(fields, form, from.job);
      return true;
    },
    share: () => toShareText(fields, form),
  };
}

/** A file that a job ran with serves again, for as long as the bridge keeps it. */
function takeFiles(fields: readonly Field[], form: FormValues, { inputs, files }: JobInputs): void {
  for (const { kind, name } of fields) {
    const ref = inputs[name];
    const file = files[name];
    if (kind !== 'file' || typeof ref !== 'string' || file === undefined || file.url === null) continue;
    form.files[name] = {
      kind: 'ready',
      ref,
      name: file.file_name,
      size: null,
      contentType: file.content_type ?? '',
    };
  }
}

/** Seeds that are drawn anew are no change of the form. */
function signatureOf(fields: readonly Field[], { values, files, random }: FormValues): string {
  const seen = { ...values };
  for (const { kind, name } of fields) if (kind === 'seed' && random[name] === true) seen[name] = 'random';
  return JSON.stringify(toInputs(fields, { values: seen, files })) + JSON.stringify(seen);
}

function keepDraftOf(alias: string, form: FormValues): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    keepDraft(alias, toDraft(form));
  };
  watch(
    form,
    () => {
      timer ??= setTimeout(keep, draftPauseMs);
    },
    { deep: true },
  );
  const keepNow = () => {
    if (timer !== undefined) keep();
  };
  window.addEventListener('pagehide', keepNow);
  onScopeDispose(() => {
    window.removeEventListener('pagehide', keepNow);
    keepNow();
  });
}

/** The values that a job of one's own ran with. Throws `CallError`. */
export async function readJobInputs(id: string, signal?: AbortSignal): Promise<JobInputs> {
  return await call<JobInputs>(`api/bridge/jobs/${encodeURIComponent(id)}/inputs`, { signal });
}
