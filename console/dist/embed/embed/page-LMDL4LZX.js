import{a as v}from"./chunk-2ELQN3PA.js";import"./chunk-WHPKLARM.js";import{h as w}from"./chunk-AUAAWB7T.js";import{f as p}from"./chunk-I3YNBCKK.js";import{b as s,d as u}from"./chunk-UF6JPII4.js";import"./chunk-DECV6T3U.js";function $({values:e},n,t,i){let r={...i};for(let[a,m]of Object.entries(e)){let l=n?.find(({name:c})=>c===p(a)),o=l&&k(l,m);!l||o===void 0||(d(t[l.name],o)?delete r[l.name]:r[l.name]=o)}return r}function k({options:e,type:n},t){if(e)return e.find(i=>d(i.value,t)||d(i.value,[t])||i.label===t)?.value;if(t!=null)return n.startsWith("[")?[t]:t}function d(e,n){return JSON.stringify(e)===JSON.stringify(n)}var E=e=>{let{_plan:n,_problem:t,_answer:i}=e;return!n&&!t&&!e.name?u:s`<div class="page" @tile-retry=${()=>e.refresh()} @tile-reset=${()=>e._chosen={}} @tile-pick=${r=>_(e,r)}>
    ${n&&!e.headless?f(e,n):u}
    ${t&&i?s`<usher-notice .problem=${t} .since=${e._since} .names=${b(e)} .locale=${e.language} .timezone=${e.timezone}></usher-notice>`:u}
    ${n&&(i||!t)?s`<div class="grid">${x(P(n.tiles)).map(([r,a])=>y(e,r,n,a))}</div>`:s`<usher-tile class="alone" .tile=${{chart:{}}} .problem=${t}></usher-tile>`}
  </div>`};function b({_plan:e,_kept:n,_answer:t}){if(!(!n||n.length===Object.keys(t.tiles).length))return n.map(i=>e?.tiles.find(r=>r.id===i)?.title||i).join(", ")}function f(e,{title:n,description:t,parameters:i=[]}){let r=i.filter(({control:a})=>a);return r.length>0&&import("./parameters-OPQHVBL7.js"),s`<div class="head">
    <div class="titles">${n&&s`<h2>${n}</h2>`}${t&&s`<p>${t}</p>`}</div>
    ${r.length>0?s`<usher-parameters
          .parameters=${r}
          .values=${e.values}
          .timezone=${e.values.timezone??e.timezone}
          .locale=${e.language}
          @parameter=${({detail:a})=>e.set(a.name,a.value)}
        ></usher-parameters>`:u}
  </div>`}function y(e,n,{parameters:t=[]},i){let{kind:r}=n.chart,{x:a,y:m,w:l,h:o}=n.at,{values:c,_answer:h}=e;return s`<usher-tile
    class=${r==="number"||r==="text"?`${r}${i?" whole":""}`:"fixed"}
    data-tile=${n.id}
    .style=${`--x:${a+1};--y:${m+1};--w:${l};--h:${o}`}
    .tile=${n}
    .result=${r==="text"?{}:h?.tiles[n.id]}
    ?busy=${e._busy&&h!==void 0}
    .locale=${e.language}
    .timezone=${c.timezone??e.timezone}
    .places=${e.places}
    .selectable=${new Set(t.map(({name:g})=>g))}
    .selected=${new Map(Object.entries(c))}
    .changed=${Object.keys(e._chosen).length>0}
  ></usher-tile>`}function _(e,{target:n,detail:t}){e.tell("select",{tile:n.dataset.tile,...t})&&(e._chosen=$(t,e._plan?.parameters,e.values,e._chosen))}function x(e){let n=0;return e.map((t,i)=>(n=t.chart.kind==="number"?n+1:0,[t,n%2===1&&e[i+1]?.chart.kind!=="number"]))}function P(e){return[...e].sort((n,t)=>n.at.y-t.at.y||n.at.x-t.at.x)}export{w as knownZone,E as page,v as settled};
