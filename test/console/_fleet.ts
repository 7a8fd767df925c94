import type { Locator, Page } from 'playwright-core';

/** The card of a backend on `/fleet`. */
export function cardOf(page: Page, name: string): Locator {
  return page.locator(`[data-backend="${name}"]`);
}

/** Does something by the menu of a card. */
export async function act(page: Page, name: string, action: string): Promise<void> {
  await cardOf(page, name)
    .getByRole('button', { name: `Actions for ${name}` })
    .click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** The names of all backends shown, from first to last. */
export function namesOf(page: Page): Promise<string[]> {
  return page
    .locator('[data-backend]')
    .evaluateAll((cards) => cards.map((card) => card.getAttribute('data-backend') ?? ''));
}
