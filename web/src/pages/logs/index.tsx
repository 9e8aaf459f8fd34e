/** The log, live: by level and service, searched, and paused to read. It follows at its end, as a terminal does. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { refusalOf, type Refusal } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { lookAgain } from '../../live/again.ts'
import { services } from '../../live/index.ts'
import type { PageProps } from '../../pages.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { SelectField, TextField } from '../../parts/field.tsx'
import { Empty, Failure, Loading } from '../../parts/states.tsx'
import { setQuery } from '../../route.ts'
import { Lines } from './lines.tsx'
import './logs.css'
import { EMPTY, fitting, LEVELS, readMore, ROWS_MAX, type Filter, type Level, type Tail } from './tail.ts'

const LOOK_MS = 1_000

const levelOf = (text: string | undefined): Level => LEVELS.find((level) => level === text) ?? 'info'

export default function Logs({ route: { query } }: PageProps) {
  const filter: Filter = { level: levelOf(query['level']), service: query['service'] }
  const [searched, setSearched] = useState('')
  const [isPaused, setPaused] = useState(false)
  const { tail, error } = useTail(filter, isPaused)
  const rows = useMemo(() => fitting(tail?.rows ?? [], searched), [tail, searched])
  return (
    <Card
      title="Log"
      actions={
        <CommandLine command={commandOf('logs', { ...filter, level: filter.level === 'info' ? '' : filter.level })} />
      }
      flush
    >
      <Filters
        filter={filter}
        searched={searched}
        setSearched={setSearched}
        isPaused={isPaused}
        setPaused={setPaused}
      />
      {error !== undefined && <Failure error={error} />}
      {tail === undefined && error === undefined && <Loading label="Log" />}
      {tail !== undefined && (
        <>
          {rows.length === 0 ? (
            <Empty title={searched === '' ? 'No line fits' : 'No line fits the search'}>
              {searched === ''
                ? 'Nothing of this level was said yet. What is said from now on appears here.'
                : `${tail.rows.length} lines are shown without it.`}
            </Empty>
          ) : (
            <Lines rows={rows} isPaused={isPaused} />
          )}
          <p class="logs-note dim" role="status">
            {rows.length} lines{searched === '' ? '' : ` of ${tail.rows.length}`}
            {tail.rows.length >= ROWS_MAX && `, the last ${ROWS_MAX} are kept here`}
            {isPaused && ', paused'}
          </p>
        </>
      )}
    </Card>
  )
}

/** Asked again every second while it is looked at; a pause stops the asking, and going on catches up. */
function useTail(
  { level, service }: Filter,
  isPaused: boolean,
): { tail: Tail | undefined; error: Refusal | undefined } {
  const key = JSON.stringify([level, service])
  const [known, setKnown] = useState<{ key: string; tail?: Tail; error?: Refusal }>({ key })
  const latest = useRef({ key, tail: EMPTY })
  if (latest.current.key !== key) latest.current = { key, tail: EMPTY }
  useEffect(() => {
    if (isPaused) return undefined
    let isWanted = true
    const look = lookAgain(async () => {
      const { current } = latest
      try {
        const tail = await readMore(current.tail, { level, service }, () => isWanted)
        if (!isWanted || latest.current !== current) return
        current.tail = tail
        setKnown({ key, tail })
      } catch (thrown) {
        const error = refusalOf(thrown)
        if (isWanted) setKnown((before) => ({ ...(before.key === key ? before : {}), key, error }))
      }
    })
    look()
    const timer = setInterval(() => document.hidden || look(), LOOK_MS)
    return () => {
      isWanted = false
      clearInterval(timer)
    }
  }, [key, isPaused])
  return known.key === key ? { tail: known.tail, error: known.error } : { tail: undefined, error: undefined }
}

interface FiltersProps {
  filter: Filter
  searched: string
  setSearched: (text: string) => void
  isPaused: boolean
  setPaused: (isPaused: boolean) => void
}

function Filters({ filter: { level, service }, searched, setSearched, isPaused, setPaused }: FiltersProps) {
  const names = (services.value ?? []).map(({ api }) => api)
  const known = service === undefined || names.includes(service) ? names : [service, ...names]
  return (
    <div class="logs-filters">
      <SelectField
        label="Lowest level"
        bare
        value={level}
        onPick={(picked) => setQuery({ level: picked === 'info' ? undefined : picked })}
        choices={LEVELS.map((one) => ({ value: one, text: one === 'error' ? 'error' : `${one} and up` }))}
      />
      <SelectField
        label="Service"
        bare
        value={service ?? ''}
        onPick={(picked) => setQuery({ service: picked === '' ? undefined : picked })}
        choices={[{ value: '', text: 'All services' }, ...known]}
      />
      <TextField label="Search" bare type="search" placeholder="Search" value={searched} onInput={setSearched} />
      <Button pressed={isPaused} onClick={() => setPaused(!isPaused)}>
        {isPaused ? 'Go on' : 'Pause'}
      </Button>
    </div>
  )
}
