import manifest from '../package.json' with { type: 'json' };

/** Of this package, and of the pack that it installs. */
export const { version } = manifest;
