// Under which licences we take what we depend on.

/** Licences (SPDX) that ask for no more than their text and the names in it, of us and of whoever takes this over. */
const allowed = new Set([
  ...[
    '0BSD',
    'Apache-2.0',
    'BlueOak-1.0.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'CC0-1.0',
    'ISC',
    'MIT',
    'MIT-0',
  ],
  ...['Python-2.0', 'Unlicense'],
]);

/** What is taken although its licence is none of these, with the reason. A name may end in `*`. */
const exceptions: readonly { name: string; licence: string; why: string }[] = [
  {
    name: '@img/sharp-*',
    licence: 'LGPL-3.0-or-later',
    why: 'libvips: a library of its own beside the program, unchanged, which anybody can replace',
  },
  {
    name: 'lightningcss*',
    licence: 'MPL-2.0',
    why: 'a tool of the build: nothing of it is in what is built',
  },
  {
    name: 'axe-core',
    licence: 'MPL-2.0',
    why: 'a tool of the tests: it is run, unchanged, and given to nobody',
  },
  {
    name: 'combine-errors',
    licence: 'Unknown',
    why: 'MIT by its Readme; used by a client in the tests alone',
  },
];

export interface Dependency {
  name: string;
  licence: string;
}

/** `(MIT OR GPL-2.0)` lets us choose, `MIT AND CC-BY-4.0` asks for both. */
function isAllowed(licence: string, isFine: (one: string) => boolean): boolean {
  const choices = licence.replaceAll(/[()]/g, '').split(/ OR /i);
  return choices.some((choice) => choice.split(/ AND /i).every((one) => isFine(one.trim())));
}

function findException({ name }: Dependency): (typeof exceptions)[number] | undefined {
  return exceptions.find((exception) =>
    exception.name.endsWith('*') ? name.startsWith(exception.name.slice(0, -1)) : name === exception.name,
  );
}

/** What is wrong with it, and what to do; nothing when it is fine. */
export function judgeLicence(dependency: Dependency): string[] {
  const exception = findException(dependency);
  if (isAllowed(dependency.licence, (one) => allowed.has(one) || one === exception?.licence)) return [];
  return [
    `${dependency.name} is under «${dependency.licence}»: take another, or say in scripts/judge-licence.ts why it is fine`,
  ];
}
