/** Views beside one another, one of them shown. The arrow keys go from one to the next. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

export interface TabsProps {
  /** said to a screen reader */
  label: string
  tabs: readonly { id: string; title: string; count?: number }[]
  active: string
  /** as a rule: `(tab) => setQuery({tab})` */
  onPick: (id: string) => void
  /** what the active one shows */
  children: ComponentChildren
}

export function Tabs({ label, tabs, active, onPick, children }: TabsProps) {
  const id = useId()
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = tabs.findIndex((tab) => tab.id === active)
    const next = tabs[(at + step + tabs.length) % tabs.length]
    if (next === undefined) return
    onPick(next.id)
    document.getElementById(`${id}-${next.id}`)?.focus()
  }
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`${id}-${tab.id}`}
            type="button"
            role="tab"
            class="tab"
            aria-selected={tab.id === active}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === active ? 0 : -1}
            onClick={() => onPick(tab.id)}
          >
            {tab.title}
            {tab.count !== undefined && <span class="count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" class="tab-panel" aria-labelledby={`${id}-${active}`} tabIndex={0}>
        {children}
      </div>
    </div>
  )
}
