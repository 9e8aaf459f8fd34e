/** Something that holds for the whole page or the whole system, until it does not any more. */
import type { ComponentChildren } from 'preact'

export interface BannerProps {
  tone: 'info' | 'warn' | 'bad'
  /** in a few words; where it is about a file, with its line */
  title: string
  children?: ComponentChildren
  /** what can be done about it */
  actions?: ComponentChildren
}

export function Banner({ tone, title, children, actions }: BannerProps) {
  return (
    <div class={`banner is-${tone}`} role={tone === 'info' ? 'status' : 'alert'}>
      <div class="banner-text">
        <strong>{title}</strong>
        {children !== undefined && <div>{children}</div>}
      </div>
      {actions !== undefined && <div class="row">{actions}</div>}
    </div>
  )
}
