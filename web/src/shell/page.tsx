/** The page that the address names, loaded when somebody goes there. One that throws is shown as failed, and alone. */
import { Component, type ComponentChildren, type ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { refusalOf, type Refusal } from '../api/client.ts'
import { Empty, Failure, Loading } from '../parts/states.tsx'
import { PAGES, type PageInfo, type PageProps } from '../pages.ts'
import { hrefOf, route } from '../route.ts'

/** Chunks that are there: going back to a page shows it at once. */
const loaded = new Map<string, ComponentType<PageProps>>()

export function Page() {
  const { page } = route.value
  const info = page === '' ? PAGES[0] : PAGES.find(({ id }) => id === page)
  useEffect(() => {
    document.title = `${info?.title ?? 'Not found'} · meta-machine`
  }, [info])
  if (info === undefined)
    return (
      <>
        <h1>Not found</h1>
        <Empty title="There is no such page">
          <a href={hrefOf('')}>To the first page</a>
        </Empty>
      </>
    )
  return (
    <Fence key={info.id}>
      <h1>{info.title}</h1>
      <Loaded info={info} />
    </Fence>
  )
}

function Loaded({ info }: { info: PageInfo }) {
  const [failure, setFailure] = useState<Refusal | undefined>(undefined)
  const [, redraw] = useState(0)
  const known = loaded.get(info.id)
  const load = (): void => {
    setFailure(undefined)
    info.load().then(
      ({ default: made }) => {
        loaded.set(info.id, made)
        redraw((times) => times + 1)
      },
      (thrown: unknown) => setFailure(refusalOf(thrown)),
    )
  }
  useEffect(() => {
    if (known === undefined) load()
  }, [info])
  if (failure !== undefined) return <Failure error={failure} again={load} />
  if (known === undefined) return <Loading label={info.title} />
  const Shown = known
  return <Shown route={route.value} />
}

/** A fault of a page ends here. */
class Fence extends Component<{ children: ComponentChildren }, { error: Refusal | undefined }> {
  override state: { error: Refusal | undefined } = { error: undefined }

  static override getDerivedStateFromError(thrown: unknown): { error: Refusal } {
    return { error: refusalOf(thrown) }
  }

  override render() {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return <Failure error={error} again={() => this.setState({ error: undefined })} />
  }
}
