/** Entries of the ledger, the newest first, narrowed by who, what and when; older ones by their sequence. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { useAsk } from '../../api/use-ask.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { AskedView, Empty } from '../../parts/states.tsx'
import { hrefOf, setQuery, type Route } from '../../route.ts'
import { EntryTable } from './table.tsx'

const NAMES = ['actor', 'action', 'resource', 'cycle'] as const
const LABELS = { actor: 'Who', action: 'What', resource: 'To', cycle: 'Cycle' } as const
const HOUR_MS = 3_600_000
const SINCE: Readonly<Record<string, { text: string; ms: number }>> = {
  hour: { text: 'The last hour', ms: HOUR_MS },
  day: { text: 'The last day', ms: 24 * HOUR_MS },
  week: { text: 'The last week', ms: 7 * 24 * HOUR_MS },
}
const PAGE = 100

export function Entries({ query }: { query: Route['query'] }) {
  const before = query['before']
  const since = SINCE[query['since'] ?? '']
  // The moment stays the same while it is looked at, and so does the question.
  const from = useMemo(() => Date.now() - (since?.ms ?? 0), [since])
  const asked = useAsk(
    { on: ['proposal.*', 'approval.*', 'policy.*'], ...(before === undefined ? { every_ms: 5_000 } : {}) },
    'GET /api/ledger',
    {
      query: {
        limit: PAGE,
        ...Object.fromEntries(NAMES.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]]))),
        ...(since === undefined ? {} : { since: from }),
        ...(before === undefined ? {} : { before: Number(before) }),
      },
    },
  )
  const isNarrow = since !== undefined || NAMES.some((name) => query[name] !== undefined)
  return (
    <div class="stack">
      <Filters key={NAMES.map((name) => query[name] ?? '').join('\n')} query={query} />
      <Card title="Entries" flush>
        <AskedView asked={asked} label="Entries">
          {({ entries }) => (
            <>
              <EntryTable label="Entries" entries={entries.toReversed()} empty={<Nothing isNarrow={isNarrow} />} />
              <div class="row ledger-pages">
                {before !== undefined && <Button onClick={() => setQuery({ before: undefined })}>Newest</Button>}
                {entries.length === PAGE && (
                  <Button onClick={() => setQuery({ before: String(entries[0]?.sequence) })}>Older</Button>
                )}
              </div>
            </>
          )}
        </AskedView>
      </Card>
    </div>
  )
}

function Nothing({ isNarrow }: { isNarrow: boolean }) {
  if (isNarrow) return <Empty title="No entry fits">Names have to be the whole of what stands in the entry.</Empty>
  return (
    <Empty title="Nothing has been recorded yet">Every decision and change of the system is, before it happens.</Empty>
  )
}

const TYPING_MS = 400

function Filters({ query }: { query: Route['query'] }) {
  const [typed, setTyped] = useState<Record<string, string>>(
    Object.fromEntries(NAMES.map((name) => [name, query[name] ?? ''])),
  )
  useEffect(() => {
    const change = Object.fromEntries(NAMES.map((name) => [name, typed[name]?.trim() || undefined]))
    if (NAMES.every((name) => change[name] === query[name])) return undefined
    const timer = setTimeout(() => setQuery({ ...change, before: undefined }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      {NAMES.map((name) => (
        <TextField
          key={name}
          label={LABELS[name]}
          type="search"
          value={typed[name] ?? ''}
          placeholder="any"
          onInput={(text) => setTyped({ ...typed, [name]: text })}
        />
      ))}
      <SelectField
        label="When"
        value={query['since'] ?? ''}
        choices={[
          { value: '', text: 'Any time' },
          ...Object.entries(SINCE).map(([value, { text }]) => ({ value, text })),
        ]}
        onPick={(picked) => setQuery({ since: picked === '' ? undefined : picked, before: undefined })}
      />
      <a class="ledger-clear" href={hrefOf('ledger')}>
        Clear
      </a>
    </form>
  )
}
