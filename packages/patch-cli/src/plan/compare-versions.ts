/** Below 0 when `a` is older; only the numbers count, so `0.3.19-beta` equals `0.3.19`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(version: string): number[] {
  const core = /^v?(\d+(?:\.\d+){0,2})/.exec(version)?.[1] ?? '0';
  return core.split('.').map(Number);
}
