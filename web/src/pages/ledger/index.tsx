/**
 * The ledger: whether its chain is whole, its entries with filters, and the evolution log. `#/ledger/c12` is every entry
 * of one cycle, `?entry=7` one entry with its hashes.
 */
import type { PageProps } from '../../pages.ts'
import { Tabs } from '../../parts/tabs.tsx'
import { setQuery } from '../../route.ts'
import { Chain } from './chain.tsx'
import { CycleReplay, Cycles } from './cycles.tsx'
import { Entries } from './entries.tsx'
import { EntryDialog } from './entry.tsx'
import './ledger.css'

const TABS = [
  { id: 'entries', title: 'Entries' },
  { id: 'cycles', title: 'Evolution log' },
] as const

export default function Ledger({ route: { parts, query } }: PageProps) {
  const [cycle] = parts
  const tab = query['tab'] === 'cycles' ? 'cycles' : 'entries'
  const entry = Number(query['entry'])
  return (
    <div class="stack">
      {cycle === undefined ? (
        <>
          <Chain />
          <Tabs
            label="Parts of the ledger"
            tabs={TABS}
            active={tab}
            onPick={(picked) => setQuery({ tab: picked === 'entries' ? undefined : picked, before: undefined })}
          >
            {tab === 'cycles' ? <Cycles /> : <Entries query={query} />}
          </Tabs>
        </>
      ) : (
        <CycleReplay cycle={cycle} />
      )}
      {Number.isInteger(entry) && entry > 0 && <EntryDialog sequence={entry} />}
    </div>
  )
}
