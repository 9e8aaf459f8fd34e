/** Keys of the whole page: `g` and a letter goes to a page, Escape closes the navigation of a phone. Not while something is typed, and not in a dialog. */
import { PAGES } from '../pages.ts'
import { go, hrefOf } from '../route.ts'
import { isMenuOpen } from './navigation.tsx'

const TOGETHER_MS = 1_000

/** Until the returned function is called. */
export function startKeys(): () => void {
  let since = -Infinity
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (event.key === 'Escape') isMenuOpen.value = false
    if (event.timeStamp - since < TOGETHER_MS) {
      const page = PAGES.find(({ key }) => key === event.key)
      if (page !== undefined) go(hrefOf(page.id))
      since = -Infinity
    } else if (event.key === 'g') {
      since = event.timeStamp
    }
  }
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, dialog, [contenteditable]') !== null
