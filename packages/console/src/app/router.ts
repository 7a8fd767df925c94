import type { Role } from '@comfy-bridge/protocol';
import { createRouter, createWebHashHistory } from 'vue-router';
import type { Router } from 'vue-router';

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may see it; left out: everybody who may call. `nobody`: needs no key, as links that were given to somebody. */
    needs?: Role | 'nobody';
  }
}

/** Everything behind `#`, so that the bridge has one page to serve, under whatever path. Each view comes when it is first seen. */
export function createAppRouter(): Router {
  return createRouter({
    history: createWebHashHistory(),
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
    routes: [
      { path: '/', name: 'gallery', component: () => import('../views/gallery/GalleryView.vue') },
      { path: '/run/:alias', name: 'run', component: () => import('../views/run/RunView.vue'), props: true },
      { path: '/history', name: 'history', component: () => import('../views/history/HistoryView.vue') },
      {
        path: '/history/:id',
        name: 'result',
        component: () => import('../views/history/ResultView.vue'),
        props: true,
      },
      {
        path: '/shared/:token',
        name: 'shared',
        component: () => import('../views/shared/SharedView.vue'),
        props: true,
        meta: { needs: 'nobody' },
      },
      {
        path: '/fleet',
        name: 'fleet',
        component: () => import('../views/fleet/FleetView.vue'),
        meta: { needs: 'operator' },
      },
      {
        path: '/fleet/:name',
        name: 'backend',
        component: () => import('../views/fleet/BackendView.vue'),
        props: true,
        meta: { needs: 'operator' },
      },
      {
        path: '/jobs',
        name: 'jobs',
        component: () => import('../views/jobs/JobsView.vue'),
        meta: { needs: 'operator' },
      },
      {
        path: '/jobs/:id',
        name: 'job',
        component: () => import('../views/jobs/JobView.vue'),
        props: true,
        meta: { needs: 'operator' },
      },
      {
        path: '/workflows',
        name: 'workflows',
        component: () => import('../views/workflows/WorkflowsView.vue'),
        meta: { needs: 'author' },
      },
      {
        path: '/workflows/:alias',
        name: 'workflow',
        component: () => import('../views/workflows/WorkflowView.vue'),
        props: true,
        meta: { needs: 'author' },
      },
      {
        path: '/keys',
        name: 'keys',
        component: () => import('../views/keys/KeysView.vue'),
        meta: { needs: 'operator' },
      },
      {
        path: '/settings',
        name: 'settings',
        component: () => import('../views/settings/SettingsView.vue'),
        meta: { needs: 'operator' },
      },
      { path: '/:rest(.*)*', name: 'unknown', component: () => import('./UnknownView.vue') },
    ],
  });
}
