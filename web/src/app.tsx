/**
 * The shell: navigation, header, banners, toasts, and the page the address names. Without a token it asks for one. A page
 * that fails takes nothing else with it.
 */
import { useEffect } from 'preact/hooks'
import { token } from './api/client.ts'
import { startLive } from './live/index.ts'
import { startWaiting } from './live/waiting.ts'
import { Toasts } from './parts/toast.tsx'
import { startRoute } from './route.ts'
import { Banners } from './shell/banners.tsx'
import { Header } from './shell/header.tsx'
import { startKeys } from './shell/keys.ts'
import { Navigation } from './shell/navigation.tsx'
import { Page } from './shell/page.tsx'
import { SignIn } from './shell/sign-in.tsx'
import { startTelling } from './shell/telling.ts'

export function App() {
  return token.value === undefined ? <SignIn /> : <Shell />
}

function Shell() {
  useEffect(() => {
    const ends = [startRoute(), startLive(), startTelling(), startKeys(), startWaiting()]
    return () => {
      for (const end of ends) end()
    }
  }, [])
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the page
      </a>
      <Header />
      <Navigation />
      <main id="main" class="main" tabIndex={-1}>
        <Banners />
        <Page />
      </main>
      <Toasts />
    </div>
  )
}

/** The address names the page, so the link may not change it. */
function skip(event: MouseEvent): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
