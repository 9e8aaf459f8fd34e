/**
 * The lines of the log in a box that scrolls. It stays at its end as long as the person is there; who scrolled up reads
 * on undisturbed. A line is drawn once: the same one again costs nothing.
 */
import type { VNode } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { clockOf } from '../../parts/time.tsx'
import type { LogLine, Row } from './tail.ts'

const TONES: Record<LogLine['level'], Tone> = { debug: 'off', info: 'info', warn: 'warn', error: 'bad' }
/** Of the end, as far as a person sees. */
const NEAR_PX = 24

export function Lines({ rows, isPaused }: { rows: readonly Row[]; isPaused: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  useLayoutEffect(() => {
    if (isAtEnd && !isPaused && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [rows, isAtEnd, isPaused])
  return (
    <div class="logs-frame">
      <div
        ref={box}
        class="logs-lines"
        role="log"
        aria-live="off"
        aria-label="Lines of the log"
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
          setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_PX)
        }
      >
        {rows.map(drawn)}
      </div>
      {!isAtEnd && (
        <div class="logs-end">
          <Button onClick={() => setAtEnd(true)}>To the newest</Button>
        </div>
      )}
    </div>
  )
}

/** What is drawn of a row: the same object for the same row, which is then not looked at again. */
const known = new WeakMap<Row, VNode>()

function drawn(row: Row): VNode {
  const before = known.get(row)
  if (before !== undefined) return before
  const made = <Line key={row.id} line={row.line} />
  known.set(row, made)
  return made
}

function Line({ line }: { line: LogLine | undefined }) {
  if (line === undefined)
    return <div class="logs-gap">lines are missing here: they came faster than they were read</div>
  const { time, level, service, message, code, stack } = line
  return (
    <div class={`logs-line is-${level}`}>
      <time dateTime={new Date(time).toISOString()} title={clockOf(time, 0)}>
        {clockOf(time, time)}
      </time>
      <Badge tone={TONES[level]}>{level}</Badge>
      <div class="logs-text">
        {service !== null && <span class="dim">{service} </span>}
        {message}
        {code !== null && <span class="dim"> {code}</span>}
        {stack !== null && (
          <details>
            <summary>Stack</summary>
            <pre>{stack}</pre>
          </details>
        )}
      </div>
    </div>
  )
}
