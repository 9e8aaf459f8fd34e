/**
 * What happened, said once at the edge and to a screen reader: results of actions, and reloads as they happen. A bad one
 * stays until it is closed; the others leave by themselves, unless the pointer or the keyboard is on them.
 */
import { signal } from '@preact/signals'
import { Button } from './button.tsx'
import { Said } from './said.tsx'

export interface ToastText {
  tone: 'good' | 'info' | 'warn' | 'bad'
  /** with numbers, as `ticker g3 → g4, 14 ms, 0 failed, state carried` */
  text: string
  /** a second line: a reason, the place in a file */
  detail?: string | undefined
  /** where more of it is, as `#/services/ticker` */
  href?: string | undefined
}

interface Shown extends ToastText {
  id: number
}

const SHOWN_MAX = 3
const STAYS_MS = 8_000
const toasts = signal<readonly Shown[]>([])
let lastId = 0

/** Shows it. Of many only the newest are shown. */
export function toast(text: ToastText): void {
  const shown = { ...text, id: ++lastId }
  toasts.value = [...toasts.value, shown].slice(-SHOWN_MAX)
  if (text.tone !== 'bad') leaveLater(shown.id)
}

function leaveLater(id: number): void {
  setTimeout(() => {
    if (document.querySelector('.toasts:hover, .toasts:focus-within') === null) close(id)
    else leaveLater(id)
  }, STAYS_MS)
}

const close = (id: number): void => {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}

/** Once in the shell. */
export function Toasts() {
  return (
    <section class="toasts" aria-label="Messages" aria-live="polite">
      {toasts.value.map(({ id, tone, text, detail, href }) => (
        <div key={id} class={`toast is-${tone}`}>
          <div class="toast-text">
            {href === undefined ? (
              <strong>
                <Said text={text} />
              </strong>
            ) : (
              <a href={href}>{text}</a>
            )}
            {detail !== undefined && (
              <div class="dim">
                <Said text={detail} />
              </div>
            )}
          </div>
          <Button kind="quiet" label={`Close: ${text}`} onClick={() => close(id)}>
            ×
          </Button>
        </div>
      ))}
    </section>
  )
}
