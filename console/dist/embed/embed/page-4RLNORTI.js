import{a as v}from"./chunk-RTB5ABDW.js";import"./chunk-WHPKLARM.js";import{h as w}from"./chunk-AG4GSXYH.js";import{f as h}from"./chunk-I3YNBCKK.js";import{b as s,d as c}from"./chunk-UF6JPII4.js";import"./chunk-DECV6T3U.js";function $({values:e},n,t,r){let i={...r};for(let[a,l]of Object.entries(e)){let o=n?.find(({name:m})=>m===h(a)),u=o&&k(o,l);!o||u===void 0||(d(t[o.name],u)?delete i[o.name]:i[o.name]=u)}return i}function k({options:e,type:n},t){if(e)return e.find(r=>d(r.value,t)||d(r.value,[t])||r.label===t)?.value;if(t!=null)return n.startsWith("[")?[t]:t}function d(e,n){return JSON.stringify(e)===JSON.stringify(n)}var E=e=>{let{_plan:n,_problem:t,_answer:r}=e;return!n&&!t&&!e.name?c:s`<div class="page" @tile-retry=${()=>e.refresh()} @tile-reset=${()=>e.chosen={}} @tile-pick=${i=>x(e,i)}>
    ${n&&!e.headless?f(e,n):c}
    ${t&&r?s`<usher-notice .problem=${t} .since=${e._since} .names=${b(e)} .locale=${e.language} .timezone=${e.timezone}></usher-notice>`:c}
    ${n&&(r||!t)?s`<div class="grid">${_(P(n.tiles)).map(([i,a])=>y(e,i,n,a))}</div>`:s`<usher-tile class="alone" .tile=${{chart:{}}} .problem=${t}></usher-tile>`}
  </div>`};function b({_plan:e,_kept:n,_answer:t}){if(!(!n||n.length===Object.keys(t.tiles).length))return n.map(r=>e?.tiles.find(i=>i.id===r)?.title||r).join(", ")}function f(e,n){let{title:t,description:r,parameters:i=[]}=n,a=i.filter(({control:l})=>l);return a.length>0&&import("./parameters-7ZK52LE5.js"),s`<div class="head">
    <div class="titles">${t&&s`<h2>${t}</h2>`}${r&&s`<p>${r}</p>`}</div>
    ${a.length>0?s`<usher-parameters
          .parameters=${a}
          .values=${e.values}
          .timezone=${e.values.timezone??e._zone??n.timezone}
          .locale=${e.language}
          @parameter=${({detail:l})=>e.set(l.name,l.value)}
        ></usher-parameters>`:c}
  </div>`}function y(e,n,{parameters:t=[]},r){let{kind:i}=n.chart,{x:a,y:l,w:o,h:u}=n.at,{values:m,_answer:p}=e;return s`<usher-tile
    class=${i==="number"||i==="text"?`${i}${r?" whole":""}`:"fixed"}
    data-tile=${n.id}
    .style=${`--x:${a+1};--y:${l+1};--w:${o};--h:${u}`}
    .tile=${n}
    .result=${i==="text"?{}:p?.tiles[n.id]}
    ?busy=${e._busy&&p!==void 0}
    .locale=${e.language}
    .timezone=${m.timezone??e.timezone}
    .places=${e.places}
    .selectable=${new Set(t.map(({name:g})=>g))}
    .selected=${new Map(Object.entries(m))}
    .changed=${Object.keys(e.chosen).length>0}
  ></usher-tile>`}function x(e,{target:n,detail:t}){e.tell("select",{tile:n.dataset.tile,...t})&&(e.chosen=$(t,e._plan?.parameters,e.values,e.chosen))}function _(e){let n=0;return e.map((t,r)=>(n=t.chart.kind==="number"?n+1:0,[t,n%2===1&&e[r+1]?.chart.kind!=="number"]))}function P(e){return[...e].sort((n,t)=>n.at.y-t.at.y||n.at.x-t.at.x)}export{w as knownZone,E as page,v as settled};
