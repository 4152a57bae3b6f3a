import { LabIcon } from '@jupyterlab/ui-components';

/** Three nodes of a rack, one at work. `jp-icon3` follows the theme. */
export const ehpcIcon = new LabIcon({
  name: 'ehpc-jupyter:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path fill-rule="evenodd" d="M4 3h16a1 1 0 0 1 1 1v3.4a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1m2 1.7v2h2v-2zm4 .3v1.4h8V5z"/>
    <path fill-rule="evenodd" d="M4 9.3h16a1 1 0 0 1 1 1v3.4a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-3.4a1 1 0 0 1 1-1m2 1.7v2h2v-2zm4 .3v1.4h5v-1.4z"/>
    <path fill-rule="evenodd" d="M4 15.6h16a1 1 0 0 1 1 1V20a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-3.4a1 1 0 0 1 1-1m2 1.7v2h2v-2zm4 .3V19h8v-1.4z"/>
  </g>
</svg>`
});
