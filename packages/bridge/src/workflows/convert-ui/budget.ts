/** So much work a conversion may be, links followed and slots looked at: many times what a real workflow takes. */
export interface Budget {
  /** False once it is spent: the conversion must then be refused, whatever came out. */
  spend(amount: number): boolean;
  isSpent(): boolean;
}

export function createBudget(amount = 2_000_000): Budget {
  let left = amount;
  return {
    spend(some) {
      left -= some;
      return left >= 0;
    },
    isSpent: () => left < 0,
  };
}
