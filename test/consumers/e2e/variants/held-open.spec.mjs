// In one worker, one after the other.
import { expect, test } from 'afresh/playwright'

test.describe.configure({ mode: 'default' })

async function submit(page, action, text) {
  await page.goto('/')
  await page.getByLabel(action).fill(text)
  await page.getByRole('button', { name: action }).click()
  await expect(page.getByRole('status')).toHaveText(/./)
}

async function findsTheBaseline({ page }) {
  await page.goto('/')
  await expect(page.getByRole('listitem')).toHaveCount(2)
  await submit(page, 'Add', 'Linus')
  await expect(page.getByRole('status')).toHaveText('Linus is guest number 3')
}

test('ends while the application still works for it', ({ page }) => submit(page, 'Later', 'Linus'))
test('1: finds the baseline', findsTheBaseline)
test('makes the application forget a transaction', ({ page }) => submit(page, 'Forget', 'Linus'))
test('2: finds the baseline', findsTheBaseline)
test('3: finds the baseline', findsTheBaseline)
