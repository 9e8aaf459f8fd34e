/** What was measured of a change: values before and after, how many calls they come from, and what that says. */
import type { EffectComparison, Measured, Proposal, Verification } from '../../../../modules/contracts/proposals.ts'
import { Badge, type Tone } from '../../parts/badge.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { ageOf, Time } from '../../parts/time.tsx'

const VERDICTS: Readonly<Record<Verification['verdict'], Tone>> = {
  confirmed: 'good',
  regressed: 'bad',
  inconclusive: 'warn',
}
const OUTCOMES: Readonly<Record<EffectComparison['outcome'], Tone>> = {
  better: 'good',
  same: 'off',
  worse: 'bad',
  unknown: 'warn',
}

/** `p50 latency, ms`, as it is read. */
const METRICS: Readonly<Record<EffectComparison['metric'], string>> = {
  latency_p50_ms: 'latency p50, ms',
  latency_p95_ms: 'latency p95, ms',
  error_share: 'share of errors',
  calls_per_s: 'calls a second',
}

type Found = Pick<Proposal, 'before' | 'verifications' | 'state' | 'live_at' | 'service' | 'expected'>

export function Measurement({ found }: { found: Found }) {
  const { before, verifications, state, live_at, service, expected } = found
  return (
    <div class="stack">
      <p>
        {expected === undefined ? (
          'It promises nothing: it stays when nothing gets worse.'
        ) : (
          <>
            Promised: <strong>{METRICS[expected.metric]}</strong> {expected.direction} by at least{' '}
            {percent(expected.min_effect ?? 0.05)}.
          </>
        )}
      </p>
      {live_at === null && <p class="dim">It never was live, so nothing was measured.</p>}
      {state === 'watching' && live_at !== null && (
        <p role="status">
          <Badge tone="busy">measuring</Badge> live since <Time at={live_at} />
        </p>
      )}
      {verifications.map((verification) => (
        <Round key={verification.round} verification={verification} />
      ))}
      {verifications.length === 0 && before !== null && <Before service={service} before={before} />}
    </div>
  )
}

function Round({
  verification: { verdict, message, target, guards, window_ms, round, at },
}: {
  verification: Verification
}) {
  const rows = [
    ...(target === null ? [] : [{ ...target, isTarget: true }]),
    ...guards.map((one) => ({ ...one, isTarget: false })),
  ]
  return (
    <section class="stack">
      <h3 class="row">
        <Badge tone={VERDICTS[verdict]}>{verdict}</Badge>
        <span>
          Round {round}, after {ageOf(window_ms)}
        </span>
        <span class="dim">
          <Time at={at} />
        </span>
      </h3>
      <p>{message}</p>
      <Table
        label={`Values of round ${round}`}
        columns={COLUMNS}
        rows={rows}
        keyOf={({ service, metric, isTarget }) => `${service} ${metric} ${isTarget}`}
        toneOf={({ outcome }) => (outcome === 'worse' ? 'bad' : undefined)}
      />
    </section>
  )
}

type Compared = EffectComparison & { isTarget: boolean }

const COLUMNS: readonly Column<Compared>[] = [
  {
    title: 'Value',
    cell: ({ metric, isTarget, before, after }) => (
      <>
        {METRICS[metric]} {isTarget && <Badge tone="info">promised</Badge>}
        <span class="changes-on-phone dim">
          <Value of={before} /> → <Value of={after} />
        </span>
      </>
    ),
    isHead: true,
  },
  { title: 'Service', cell: ({ service }) => service, isExtra: true },
  { title: 'Before (samples)', cell: ({ before }) => <Value of={before} />, isNumber: true, isExtra: true },
  { title: 'After (samples)', cell: ({ after }) => <Value of={after} />, isNumber: true, isExtra: true },
  { title: 'Change', cell: ({ change }) => (change === null ? '–' : signed(change)), isNumber: true },
  { title: 'Says', cell: ({ outcome }) => <Badge tone={OUTCOMES[outcome]}>{outcome}</Badge> },
]

function Before({ service, before }: { service: string; before: NonNullable<Proposal['before']> }) {
  const rows = Object.entries(before) as [EffectComparison['metric'], Measured][]
  return (
    <Table
      label="Values before it went live"
      rows={rows}
      keyOf={([metric]) => metric}
      columns={[
        { title: 'Value', cell: ([metric]) => METRICS[metric], isHead: true },
        { title: 'Service', cell: () => service, isExtra: true },
        { title: 'Before (samples)', cell: ([, measured]) => <Value of={measured} />, isNumber: true },
      ]}
    />
  )
}

/** Null is unknown, and is said so. */
function Value({ of: { value, samples } }: { of: Measured }) {
  return (
    <span>
      {value === null ? 'unknown' : Number(value.toPrecision(4))} <span class="dim">({samples})</span>
    </span>
  )
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`
const signed = (share: number): string => `${share > 0 ? '+' : share < 0 ? '−' : ''}${percent(Math.abs(share))}`
