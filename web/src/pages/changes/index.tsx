/**
 * Changes: what was proposed and where it stands, and what models were asked to improve. `#/changes/c12` is one change,
 * `#/changes/i3` one improvement.
 */
import type { PageProps } from '../../pages.ts'
import { Tabs } from '../../parts/tabs.tsx'
import { setQuery } from '../../route.ts'
import { OneChange } from './change.tsx'
import { Improvements } from './improvements.tsx'
import { OneImprovement } from './improvement.tsx'
import { ChangeList } from './list.tsx'
import './changes.css'

const TABS = [
  { id: 'changes', title: 'Changes' },
  { id: 'improve', title: 'Improvements' },
] as const

export default function Changes({ route: { parts, query } }: PageProps) {
  const [id] = parts
  if (id?.startsWith('i') === true) return <OneImprovement id={id} />
  if (id !== undefined) return <OneChange id={id} />
  const tab = query['tab'] === 'improve' ? 'improve' : 'changes'
  return (
    <Tabs
      label="Changes and improvements"
      tabs={TABS}
      active={tab}
      onPick={(picked) => setQuery({ tab: picked === 'changes' ? undefined : picked })}
    >
      {tab === 'improve' ? <Improvements query={query} /> : <ChangeList query={query} />}
    </Tabs>
  )
}
