import { createApp } from 'vue';

import App from './app/App.vue';
import { createAppRouter } from './app/router.ts';
import { createPage } from './state/page.ts';

const page = createPage();
createApp(App).use(page).use(createAppRouter()).mount('#app');
page.start();
