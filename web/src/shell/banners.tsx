/** What holds for the whole system and wants to be known: the connection is lost, events were missed, a file is broken. */
import { signal } from '@preact/signals'
import { connection, kernel, missed, services, unserved, type ServiceStatus } from '../live/index.ts'
import { Banner } from '../parts/banner.tsx'
import { Button } from '../parts/button.tsx'
import { Said } from '../parts/said.tsx'
import { Time } from '../parts/time.tsx'
import { PAGES } from '../pages.ts'
import { go, hrefOf, route } from '../route.ts'

/** The others are counted. */
const SHOWN_MAX = 3

export function Banners() {
  return (
    <>
      <Lost />
      <MissedEvents />
      <BrokenFiles />
      <NothingOfOnesOwn />
    </>
  )
}

function Lost() {
  const now = connection.value
  if (now.state !== 'lost') return null
  return (
    <Banner tone="bad" title="The connection is lost">
      Since <Time at={now.since} />; it is opened again by itself. What stands here is how it was then.
    </Banner>
  )
}

const REASONS = {
  gap: 'the connection was away for longer than events are kept',
  restarted: 'the system was started again meanwhile',
  cut: 'this page took them too slowly',
} as const

function MissedEvents() {
  const told = missed.value
  if (told === undefined) return null
  const count = told.events === undefined ? 'Events were missed' : `${told.events} events were missed`
  return (
    <Banner tone="warn" title={count} actions={<Button onClick={() => (missed.value = undefined)}>Understood</Button>}>
      <Time at={told.at} />: {REASONS[told.reason]}. What is shown has been read again.
    </Banner>
  )
}

/** A file that is not taken, while the version before serves; and configs that belong to no service. */
function BrokenFiles() {
  const broken = unserved.value.flatMap(({ api, generation, error }) =>
    error === null ? [] : [{ api, generation, error }],
  )
  const shown = broken.slice(0, SHOWN_MAX)
  return (
    <>
      {shown.map(({ api, generation, error }) => (
        <Banner
          key={api}
          tone={error.file === undefined ? 'warn' : 'bad'}
          title={`${api}: ${placeOf(error)}`}
          actions={<a href={hrefOf('services', [api])}>Look at it</a>}
        >
          <Said text={error.message} />. {generation === null ? 'Nothing serves.' : `g${generation} serves on.`}
        </Banner>
      ))}
      {broken.length > shown.length && (
        <Banner tone="bad" title={`${broken.length - shown.length} more services do not run what is on disk`} />
      )}
      {(kernel.value?.config_errors ?? []).map((error) => (
        <Banner key={`${error.file} ${error.message}`} tone="bad" title={placeOf(error)}>
          <Said text={`${error.message}. ${error.hint}`} />
        </Banner>
      ))}
    </>
  )
}

function placeOf(error: { code: string; file?: string; line?: number }): string {
  if (error.file === undefined) return error.code.replaceAll('_', ' ')
  return error.line === undefined ? error.file : `${error.file}:${error.line}`
}

/** What is shipped lies outside of the root, but for the example that `mm init` writes. */
const isOwn = ({ api, source_file }: ServiceStatus): boolean =>
  source_file?.startsWith('modules/') === true && api !== 'example'

const isClosed = signal(sessionStorage.getItem('tour hint') !== null)

/** On the first page of a system that nobody has put anything into yet. */
function NothingOfOnesOwn() {
  const all = services.value
  const isFirst = route.value.page === '' || route.value.page === PAGES[0]?.id
  if (all === undefined || !isFirst || isClosed.value || all.some(isOwn)) return null
  const close = (): void => {
    sessionStorage.setItem('tour hint', 'closed')
    isClosed.value = true
  }
  const actions = (
    <>
      <Button kind="primary" onClick={() => go(hrefOf('tour'))}>
        Take the tour
      </Button>
      <Button onClick={close}>Not now</Button>
    </>
  )
  return (
    <Banner tone="info" title="Nothing of your own runs here yet" actions={actions}>
      In ten minutes you edit, break and mend a service while it runs, and replace the kernel under it.
    </Banner>
  )
}
