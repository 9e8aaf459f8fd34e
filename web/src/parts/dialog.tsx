/** A dialog over the page. The browser's own: it keeps the focus inside, closes on Escape, and gives the focus back. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Button } from './button.tsx'

export interface DialogProps {
  title: string
  /** asked for by Escape, the ×, or a press beside it */
  onClose: () => void
  children: ComponentChildren
  /** buttons at the bottom, the one that goes on last */
  footer?: ComponentChildren
  /** for diffs and tables */
  wide?: boolean
}

/** Open as long as it is drawn. */
export function Dialog({ title, onClose, children, footer, wide = false }: DialogProps) {
  const id = useId()
  const box = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    box.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={box}
      class={wide ? 'dialog is-broad' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onMouseDown={(event) => event.target === box.current && onClose()}
    >
      <div>
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" label="Close" onClick={onClose}>
            ×
          </Button>
        </header>
        <div class="dialog-body">{children}</div>
        {footer !== undefined && <footer class="dialog-foot">{footer}</footer>}
      </div>
    </dialog>
  )
}
