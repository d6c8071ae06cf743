import { expect } from 'afresh/playwright'
import { inAnyOrder } from './any-order.mjs'

const items = (page) => page.getByRole('listitem')
const says = (page, text) => expect(page.getByRole('status')).toHaveText(text)

async function submit(page, action, text) {
  if (text !== undefined) await page.getByLabel(action).fill(text)
  await page.getByRole('button', { name: action }).click()
}

inAnyOrder(
  {
    'a new guest is number 3': async ({ page }) => {
      await page.goto('/')
      await submit(page, 'Add', 'Linus')
      await says(page, 'Linus is guest number 3')
      await expect(items(page)).toHaveText(['1 Ada', '2 Grace, invited by Ada', '3 Linus, invited by Ada'])
    },

    'two more guests are numbers 3 and 4, and a name is free once': async ({ page }) => {
      await page.goto('/')
      await submit(page, 'Add', 'Barbara')
      await says(page, 'Barbara is guest number 3')
      await submit(page, 'Add', 'Linus')
      await says(page, 'Linus is guest number 4')
      await submit(page, 'Add', 'Linus')
      await says(page, /duplicate key/)
    },

    'Grace leaves, and Ada is there': async ({ page }) => {
      await page.goto('/')
      await submit(page, 'Remove', '2')
      await says(page, 'Guest number 2 is gone')
      await expect(items(page)).toHaveText(['1 Ada'])
    },

    'the title can be changed': async ({ page }) => {
      await page.goto('/')
      await expect(page).toHaveTitle('Guests')
      await submit(page, 'Rename', 'Friends')
      await says(page, 'The title is another one')
      await expect(page.getByRole('heading')).toHaveText('Friends')
    },

    'everybody leaves, and the next one is number 1': async ({ page }) => {
      await page.goto('/')
      await expect(items(page)).toHaveCount(2)
      await submit(page, 'Clear')
      await says(page, 'Nobody is left')
      await submit(page, 'Add', 'Ada')
      // The application says that somebody invites them who has left.
      await says(page, 'Ada is guest number 1')
    },
  },
  10,
)
