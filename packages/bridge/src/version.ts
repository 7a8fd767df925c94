import manifest from '../package.json' with { type: 'json' };

/** The bridge's version, as its package says. */
export const { version } = manifest;
