/** The kernel: which one runs, which others there are and what became of them, the freeze, and what runs that is not on disk. */
import { failure, kernel, lookNow, services } from '../../live/index.ts'
import type { ApiAnswer } from '../../api/client.ts'
import { Badge } from '../../parts/badge.tsx'
import { Banner } from '../../parts/banner.tsx'
import { Card } from '../../parts/card.tsx'
import { Failure, Loading } from '../../parts/states.tsx'
import { ageOf, Time } from '../../parts/time.tsx'
import { Doctor } from './doctor.tsx'
import { Freeze } from './freeze.tsx'
import { History } from './history.tsx'
import { Stale } from './stale.tsx'
import { SwapAction } from './swap.tsx'
import { Versions } from './versions.tsx'

export type About = ApiAnswer<'GET /api/kernel'>

export default function KernelPage() {
  const about = kernel.value
  if (about === undefined) {
    if (failure.value !== undefined) return <Failure error={failure.value} again={lookNow} />
    return <Loading label="The kernel" />
  }
  return (
    <>
      <Probation about={about} />
      <div class="columns">
        <Running about={about} />
        <Freeze frozen={about.frozen} />
      </div>
      <Versions about={about} />
      <History about={about} />
      <Stale services={services.value} />
      <Doctor />
    </>
  )
}

/** While it lasts the kernel before is kept, and takes everything back when this one is sick. */
function Probation({ about }: { about: About }) {
  if (!about.on_probation) return null
  const swap = about.history.findLast(({ outcome }) => outcome === 'swapped')
  return (
    <Banner tone="info" title={`Kernel ${about.version} is on probation`}>
      {swap === undefined ? (
        'The bootloader looks at it from outside.'
      ) : (
        <>
          It took over from {swap.from} <Time at={swap.at} />. The bootloader looks at its health and at calls from
          outside; if it is sick, {swap.from} takes everything back.
        </>
      )}
    </Banner>
  )
}

function Running({ about }: { about: About }) {
  const { version, prog, meta_file, source_key, config_hash, uptime_s, status, on_probation } = about
  return (
    <Card title={`Kernel ${version}`} actions={<SwapAction about={about} />}>
      <dl class="facts">
        <dt>State</dt>
        <dd class="row">
          <Badge tone={status === 'ok' ? 'good' : 'warn'}>{status}</Badge>
          {on_probation ? <Badge tone="busy">on probation</Badge> : <Badge tone="good">confirmed</Badge>}
        </dd>
        <dt>Program</dt>
        <dd>{prog}</dd>
        <dt>Meta file</dt>
        <dd>
          <code>{meta_file}</code>
        </dd>
        <dt>Source</dt>
        <dd>
          <code>{source_key === '' ? 'unknown' : source_key.slice(0, 16)}</code>
        </dd>
        <dt>Config</dt>
        <dd>
          <code>{config_hash === '' ? 'unknown' : config_hash}</code>
        </dd>
        <dt>Serves for</dt>
        <dd>{ageOf(uptime_s * 1_000)}</dd>
      </dl>
    </Card>
  )
}
