/** The kernels on disk, the one that is wanted first, and why one is not taken; and what was passed over at the start. */
import type { ErrorData } from '../../../../modules/contracts/errors.ts'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Card } from '../../parts/card.tsx'
import { Said } from '../../parts/said.tsx'
import type { About } from './index.tsx'

type Version = About['versions'][number]

const TONES: Record<Version['state'], Tone> = { running: 'good', wanted: 'busy', older: 'off', refused: 'bad' }
const MEANS: Record<Version['state'], string> = {
  running: 'it serves',
  wanted: 'the newest that may be tried',
  older: 'a newer one is wanted',
  refused: 'known by the hash of its files: tried again when they change, or when you swap',
}

export function Versions({ about: { versions, fallbacks } }: { about: About }) {
  return (
    <Card title="Versions on disk">
      <ul class="items">
        {versions.map(({ meta_file, version, state, error }) => (
          <li key={meta_file}>
            <div class="row">
              <strong>{version}</strong>
              <code>{meta_file}</code>
              <Badge tone={TONES[state]}>{state}</Badge>
              <span class="dim">{MEANS[state]}</span>
            </div>
            {error !== null && <Reason error={error} />}
          </li>
        ))}
      </ul>
      {fallbacks.length > 0 && (
        <>
          <h3>Passed over at the start</h3>
          <ul class="items">
            {fallbacks.map((error) => (
              <li key={`${error.file ?? ''} ${error.message}`}>
                <Reason error={error} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

/** Why one was not taken, and where. */
export function Reason({ error: { code, message, hint, file, line } }: { error: ErrorData }) {
  return (
    <div class="reason">
      <p>
        <Said text={message} />
      </p>
      <p class="dim">
        <code>{code}</code> {file !== undefined && <code>{line === undefined ? file : `${file}:${line}`}</code>}{' '}
        <Said text={hint} />
      </p>
    </div>
  )
}
