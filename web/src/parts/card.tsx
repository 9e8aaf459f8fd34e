/** A part of a page with a heading. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

export interface CardProps {
  title: string
  /** at the right of the heading: filters, actions */
  actions?: ComponentChildren
  children: ComponentChildren
  /** without the space around the children: for a table that reaches the edge */
  flush?: boolean
}

export function Card({ title, actions, children, flush = false }: CardProps) {
  const id = useId()
  return (
    <section class="card" aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div class="row">{actions}</div>}
      </header>
      <div class={flush ? 'card-body is-flush' : 'card-body'}>{children}</div>
    </section>
  )
}
