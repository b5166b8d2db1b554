import{a}from"./chunk-XJDWNH33.js";import"./chunk-VL3C556D.js";import"./chunk-QH3JCQUX.js";import"./chunk-UF6JPII4.js";import"./chunk-DACC7DKD.js";export{a as UsherTile};
