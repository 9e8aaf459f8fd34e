/** A button. What changes something is an `Action` (`action.tsx`), which shows its blast radius first. */
import type { ComponentChildren } from 'preact'

export interface ButtonProps {
  children: ComponentChildren
  onClick?: (event: MouseEvent) => void
  /** @default 'normal' */
  kind?: 'normal' | 'primary' | 'danger' | 'quiet'
  /** @default 'button' */
  type?: 'button' | 'submit'
  /** it is at work: shown, and not to be pressed again */
  busy?: boolean
  disabled?: boolean
  /** said to a screen reader instead of the children, where they are only a sign */
  label?: string
  title?: string
  /** for a button that opens or closes something */
  expanded?: boolean
  /** for one that is on or off */
  pressed?: boolean
}

export function Button({
  children,
  onClick,
  kind = 'normal',
  type = 'button',
  busy = false,
  disabled = false,
  label,
  title,
  expanded,
  pressed,
}: ButtonProps) {
  return (
    <button
      type={type}
      class={`button is-${kind}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      aria-label={label}
      aria-expanded={expanded}
      aria-pressed={pressed}
      title={title}
      onClick={(event) => {
        if (!busy) onClick?.(event)
        else event.preventDefault()
      }}
    >
      {children}
    </button>
  )
}
