import { el } from './elements.ts';

// Colours come from the editor's own variables, so that every theme fits. What follows a comma is for versions without them.
const css = `
.cb { --cb-text: var(--fg-color, var(--input-text, #ddd)); --cb-muted: var(--descrip-text, #999); --cb-line: var(--border-color, #4e4e4e);
  --cb-field: var(--comfy-input-bg, #222); --cb-page: var(--comfy-menu-bg, #353535); --cb-accent: var(--p-primary-color, #0b8ce9);
  --cb-bad: color-mix(in srgb, var(--error-text, #ff4444) 60%, var(--fg-color, var(--input-text, #ddd))); color: var(--cb-text); font: 13px/1.45 var(--font-inter, system-ui, sans-serif); text-align: start; word-break: keep-all; overflow-wrap: anywhere; }
.cb, .cb * { box-sizing: border-box; }
.cb-sidebar { display: flex; flex-direction: column; gap: 12px; padding: 12px; min-width: 0; height: 100%; overflow: auto; background: var(--cb-page); }
.cb h2 { font-size: 15px; font-weight: 600; margin: 0; }
.cb h3 { font-size: 13px; font-weight: 600; margin: 0 0 6px; }
.cb h4 { font-size: 12px; font-weight: 600; margin: 0; }
.cb p { margin: 0; }
.cb ul { list-style: none; margin: 0; padding: 0; }
.cb-hint { color: var(--cb-muted); font-size: 12px; }
.cb-bar { display: flex; flex-wrap: wrap; gap: 6px; }
.cb-button { appearance: none; border: 1px solid var(--cb-line); border-radius: 6px; background: var(--cb-field); color: inherit; font: inherit;
  padding: 4px 10px; min-height: 28px; max-width: 100%; overflow-wrap: anywhere; cursor: pointer; }
@media (max-width: 800px) { .cb-sidebar { padding: 8px; } .cb-button { padding: 4px 6px; } .cb-row { flex-wrap: wrap; } }
.cb-button:hover:not(:disabled) { border-color: var(--cb-accent); }
.cb-button:disabled { opacity: .5; cursor: default; }
.cb-button.cb-primary { background: var(--cb-accent); border-color: var(--cb-accent); color: var(--p-primary-contrast-color, #fff); }
.cb-button.cb-plain { border-color: transparent; background: none; padding: 2px 6px; }
.cb-link { appearance: none; border: 0; background: none; color: inherit; font: inherit; padding: 0; min-height: 0; cursor: pointer; text-align: start; text-decoration: underline;
  text-decoration-color: var(--cb-line); text-underline-offset: 3px; overflow-wrap: anywhere; }
.cb :is(button, input, select, textarea, summary, [tabindex]):focus-visible { outline: 2px solid var(--cb-accent); outline-offset: 1px; }
.cb-section { border-top: 1px solid var(--cb-line); padding-top: 10px; min-width: 0; }
.cb-section > summary { cursor: pointer; font-weight: 600; }
.cb-section > summary ~ * { margin-top: 8px; }
.cb-stack { display: flex; flex-direction: column; gap: 6px; min-width: 0; }
.cb-node { display: flex; justify-content: space-between; gap: 8px; margin-top: 8px; font-size: 12px; color: var(--cb-muted); }
.cb-mark { border: 1px solid var(--cb-line); border-radius: 6px; margin-top: 6px; min-width: 0; }
.cb-part { content-visibility: auto; }
.cb [hidden] { display: none; }
.cb-mark.cb-over { border-top: 2px solid var(--cb-accent); }
.cb-row { display: flex; align-items: center; gap: 4px; padding: 4px 6px; min-width: 0; }
.cb-row .cb-name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.cb-row .cb-name small { color: var(--cb-muted); display: block; }
.cb-handle { cursor: grab; }
.cb-warning { color: var(--cb-bad); font-size: 12px; padding: 0 8px 6px; }
.cb-warning::before { content: '⚠ '; }
.cb-form { display: flex; flex-direction: column; gap: 8px; padding: 8px; border-top: 1px solid var(--cb-line); }
.cb-field { display: flex; flex-direction: column; gap: 2px; font-size: 12px; min-width: 0; }
.cb-input { width: 100%; min-width: 0; font: inherit; color: var(--input-text, inherit); background: var(--cb-page); border: 1px solid var(--cb-line); border-radius: 4px; padding: 4px 6px; }
textarea.cb-input { min-height: 56px; resize: vertical; }
.cb-threefold { display: grid; grid-template-columns: repeat(auto-fit, minmax(64px, 1fr)); gap: 6px; }
.cb-tick { display: flex; align-items: flex-start; gap: 6px; min-width: 0; cursor: pointer; }
.cb-tick > span { overflow-wrap: anywhere; min-width: 0; }
.cb-tick input { margin: 3px 0 0; accent-color: var(--cb-accent); flex: none; }
.cb-code { white-space: pre; overflow: auto; max-height: 240px; margin: 0; padding: 8px; background: var(--cb-field); border: 1px solid var(--cb-line); border-radius: 4px;
  font: 11px/1.5 ui-monospace, monospace; }
.cb-pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 6px; }
.cb-pictures img { width: 100%; border-radius: 4px; display: block; }
.cb-bad { color: var(--cb-bad); }
dialog.cb-dialog { width: min(480px, calc(100vw - 24px)); max-height: calc(100dvh - 24px); overflow: auto; margin: auto; padding: 16px;
  background: var(--cb-page); border: 1px solid var(--cb-line); border-radius: 10px; }
dialog.cb-dialog::backdrop { background: rgb(0 0 0 / 50%); }
`;

/** Puts the styles into the page, once. */
export function addStyles(): void {
  const id = 'comfy-bridge-styles';
  if (document.getElementById(id) !== null) return;
  document.head.append(el('style', { id }, css));
}
