/**
 * Dark or light: as the machine has it, or as the person said, which this browser keeps. Said as `data-theme` of the
 * document; `style/tokens.css` does the rest.
 */
import { signal } from '@preact/signals'

export type Theme = 'system' | 'dark' | 'light'

const KEPT = 'theme'
const isTheme = (value: string | null): value is Theme => value === 'dark' || value === 'light'

export const theme = signal<Theme>('system')

/** Which of the two is shown now: for what is drawn on a canvas. */
export const shownTheme = signal<'dark' | 'light'>('dark')

export function startTheme(): void {
  const kept = localStorage.getItem(KEPT)
  const machine = window.matchMedia('(prefers-color-scheme: light)')
  const show = (): void => {
    shownTheme.value = theme.value === 'system' ? (machine.matches ? 'light' : 'dark') : theme.value
    document.documentElement.dataset['theme'] = shownTheme.value
  }
  theme.value = isTheme(kept) ? kept : 'system'
  machine.addEventListener('change', show)
  theme.subscribe(show)
}

export function setTheme(wanted: Theme): void {
  theme.value = wanted
  if (wanted === 'system') localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, wanted)
}
