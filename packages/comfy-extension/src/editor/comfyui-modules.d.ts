// oxlint-disable typescript/consistent-type-imports -- an ambient module cannot import by a relative name
/**
 * The two modules that ComfyUI serves to extensions. The build turns the names into `../../scripts/app.js` and
 * `../../scripts/api.js`, which is where they are seen from `/extensions/<pack>/comfy-bridge.js`.
 */
declare module 'comfyui/scripts/app.js' {
  export const app: import('./comfy-types.ts').ComfyApp;
}
declare module 'comfyui/scripts/api.js' {
  export const api: import('./comfy-types.ts').ComfyApi;
}
