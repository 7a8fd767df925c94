import { pictureFile } from '../marks/picture-file.ts';
import { toCurl, type CurlRequest } from '../marks/to-curl.ts';
import type { Texts } from '../texts/en.ts';
import { openDialog } from './dialog.ts';
import { button, el, field, tick } from './elements.ts';
import { toMarkedPrompt } from './export-api.ts';
import { toThumbnail, type Results } from './last-results.ts';
import { publish, toBase, type PublishAnswer } from './publish-request.ts';
import { fieldsOf } from './form-fields-of.ts';
import type { Session } from './session.ts';
import { readAddress, readToken, saveAddress, saveToken } from './settings.ts';

/** A name for the API made of a workflow's name. */
export function toAlias(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_-]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
}

/** What was typed last, for the next opening: the alias and description of a workflow, by its name. */
const remembered = new Map<string, { alias: string; description: string }>();

/** Asks for what the bridge needs, publishes, and shows what the bridge says. The workflow stays as it is. */
export function openPublish(session: Session, results: Results): void {
  const t = session.texts();
  const name = session.workflowName();
  const form = {
    address: readAddress(session),
    token: readToken(),
    alias: toAlias(name),
    description: '',
    ...remembered.get(name),
    replace: false,
    withPicture: true,
  };
  const [picture] = results.pictures();
  const answer = el('div', { class: 'cb-stack', role: 'status', 'aria-live': 'polite' });
  const replaceBox = el('div', { hidden: true });
  const show = (...lines: (Node | string)[]): void => {
    answer.replaceChildren(...lines.map((line) => (typeof line === 'string' ? el('p', {}, line) : line)));
  };
  const send = button(t.publish, () => void submit(), { class: 'cb-primary' });
  let isBusy = false;
  const submit = async (): Promise<void> => {
    // Not disabled meanwhile, which would take the focus away.
    if (isBusy) return;
    if (form.alias === '') {
      show(el('p', { class: 'cb-bad' }, t.aliasMissing));
      return;
    }
    remembered.set(name, { alias: form.alias, description: form.description });
    saveAddress(session, form.address);
    saveToken(form.token);
    isBusy = true;
    show(t.publishing);
    const thumbnail = picture !== undefined && form.withPicture ? await toThumbnail(picture) : undefined;
    try {
      const { output } = await toMarkedPrompt(session);
      const result = await publish({ ...form, workflow: output, thumbnail });
      replaceBox.hidden = result.kind !== 'alias-taken' && !form.replace;
      const graph = session.rootGraph();
      const saveAs = graph && pictureFile(graph, form.alias);
      show(...explain(t, result, form, { values: valuesOf(session), saveAs }));
    } catch (error) {
      show(el('p', { class: 'cb-bad' }, t.exportFailed), error instanceof Error ? error.message : '');
    }
    isBusy = false;
  };
  replaceBox.append(
    tick(t.replace, false, (on) => {
      form.replace = on;
    }),
  );
  const text = (
    key: 'address' | 'token' | 'alias' | 'description',
    label: string,
    more: object = {},
  ): HTMLElement =>
    field(label, {
      value: form[key],
      ...more,
      onChange: (value) => {
        form[key] = value.trim();
      },
    });
  const dialogForm = el(
    'form',
    { class: 'cb-stack', method: 'dialog', on: { submit: (event) => event.preventDefault() } },
    text('address', t.settingsAddress, { type: 'url', placeholder: t.settingsAddressHint }),
    text('token', t.settingsToken, { type: 'password' }),
    el('p', { class: 'cb-hint' }, t.settingsTokenHint),
    text('alias', t.alias, { placeholder: t.aliasHint }),
    text('description', t.description),
    picture === undefined
      ? el('p', { class: 'cb-hint' }, t.noThumbnail)
      : tick(t.thumbnail, true, (on) => {
          form.withPicture = on;
        }),
    picture !== undefined &&
      el('div', { class: 'cb-pictures' }, el('img', { src: picture.url, alt: t.thumbnail })),
    replaceBox,
    el('div', { class: 'cb-bar' }, send),
    answer,
  );
  openDialog({ title: t.publishTitle, closeLabel: t.close }, dialogForm);
}

function explain(
  t: Texts,
  answer: PublishAnswer,
  { address, alias, token }: { address: string; alias: string; token: string },
  call: Pick<CurlRequest, 'values' | 'saveAs'>,
): (Node | string)[] {
  const bad = (text: string): HTMLElement => el('p', { class: 'cb-bad' }, text);
  switch (answer.kind) {
    case 'published':
      return [
        el('strong', {}, t.published(alias, answer.version)),
        ...(answer.canRun ? [t.canRun] : [bad(t.cannotRun), lines(answer.obstacles)]),
        ...(answer.problems.length > 0 ? [t.bridgeProblems, lines(answer.problems)] : []),
        t.curl,
        el(
          'pre',
          { class: 'cb-code', tabindex: 0 },
          toCurl({ bridgeUrl: toBase(address) ?? '', alias, ...call }),
        ),
      ];
    case 'alias-taken':
      return [bad(t.aliasTaken(alias))];
    case 'bad-address':
      return [bad(t.badAddress)];
    case 'unreachable':
      return [bad(t.unreachable(address)), t.unchanged];
    case 'timed-out':
      return [bad(t.timedOut(address))];
    case 'blocked-by-cors':
      return [bad(t.blockedByCors(location.origin)), t.unchanged];
    case 'unauthorized':
      return [bad(token === '' ? t.tokenNeeded : t.unauthorized), t.unchanged];
    case 'not-a-bridge':
      return [bad(t.notABridge(address)), t.unchanged];
    case 'refused':
      return [bad(t.refused(answer.status)), answer.message, t.unchanged];
  }
}

/** The workflow's own values by the names that callers use. */
function valuesOf(session: Session): Record<string, unknown> {
  return Object.fromEntries(fieldsOf(session).map(({ name, value }) => [name, value]));
}

function lines(texts: readonly string[]): HTMLElement {
  return el('ul', {}, ...texts.map((text) => el('li', {}, text)));
}
