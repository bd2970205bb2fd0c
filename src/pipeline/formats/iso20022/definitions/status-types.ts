/** Status reports and returns: pain.002, pacs.002 and pacs.004. The notation is that of `notation.ts`. */
export const statusTypes = `
StatusInformation8 > Orgtr?:PartyId32 Rsn?:cd4 AddtlInf*:x105
StatusInformation12 > Orgtr?:PartyId135 Rsn?:cd4 AddtlInf*:x105
GroupStatus3 = ACTC RCVD PART RJCT PDNG ACCP ACSP ACSC ACWC
TransactionStatus3 = ACTC RJCT PDNG ACCP ACSP ACSC ACCR ACWC
StatusCount3 > DtldNbOfTxs:n15 DtldSts:TransactionStatus3 DtldCtrlSum?:decimal
StatusCount5 > DtldNbOfTxs:n15 DtldSts:x4 DtldCtrlSum?:decimal
Header36 > MsgId:x35 CreDtTm:dateTime InitgPty?:PartyId32 FwdgAgt?:Agent4 DbtrAgt?:Agent4 CdtrAgt?:Agent4
Header86 > MsgId:x35 CreDtTm:dateTime InitgPty?:PartyId135 FwdgAgt?:Agent6 DbtrAgt?:Agent6 CdtrAgt?:Agent6
OriginalGroup20 > OrgnlMsgId:x35 OrgnlMsgNmId:x35 OrgnlCreDtTm?:dateTime OrgnlNbOfTxs?:n15 OrgnlCtrlSum?:decimal GrpSts?:GroupStatus3
  StsRsnInf*:StatusInformation8 NbOfTxsPerSts*:StatusCount3
OriginalGroup17 < OriginalGroup20 GrpSts:x4 StsRsnInf:StatusInformation12 NbOfTxsPerSts:StatusCount5
Settlement13 > SttlmMtd:SettlementMethod1 SttlmAcct?:Account16 ClrSys?:cd3 InstgRmbrsmntAgt?:Agent4 InstgRmbrsmntAgtAcct?:Account16
  InstdRmbrsmntAgt?:Agent4 InstdRmbrsmntAgtAcct?:Account16 ThrdRmbrsmntAgt?:Agent4 ThrdRmbrsmntAgtAcct?:Account16
PaymentType22 > InstrPrty?:Priority2 ClrChanl?:ClearingChannel2 SvcLvl?:cd4 LclInstrm?:cd35 SeqTp?:SequenceType1 CtgyPurp?:cd4
PaymentType27 > InstrPrty?:Priority2 ClrChanl?:ClearingChannel2 SvcLvl*:cd4 LclInstrm?:cd35 SeqTp?:SequenceType3 CtgyPurp?:cd4
PaymentMethod4 = CHK TRF DD TRA
OriginalTransaction13 > IntrBkSttlmAmt?:amount Amt?:AmountType3 IntrBkSttlmDt?:date ReqdColltnDt?:date ReqdExctnDt?:date
  CdtrSchmeId?:PartyId32 SttlmInf?:Settlement13 PmtTpInf?:PaymentType22 PmtMtd?:PaymentMethod4 MndtRltdInf?:Mandate6 RmtInf?:Remittance5
  UltmtDbtr?:PartyId32 Dbtr?:PartyId32 DbtrAcct?:Account16 DbtrAgt?:Agent4 DbtrAgtAcct?:Account16 CdtrAgt?:Agent4 CdtrAgtAcct?:Account16
  Cdtr?:PartyId32 CdtrAcct?:Account16 UltmtCdtr?:PartyId32
OriginalTransaction28 > IntrBkSttlmAmt?:amount Amt?:AmountType3 IntrBkSttlmDt?:date ReqdColltnDt?:date ReqdExctnDt?:DateOrTime
  CdtrSchmeId?:PartyId135 SttlmInf?:Settlement7 PmtTpInf?:PaymentType27 PmtMtd?:PaymentMethod4 MndtRltdInf?:Mandate14 RmtInf?:Remittance16
  UltmtDbtr?:Party40 Dbtr?:Party40 DbtrAcct?:Account38 DbtrAgt?:Agent6 DbtrAgtAcct?:Account38 CdtrAgt?:Agent6 CdtrAgtAcct?:Account38
  Cdtr?:Party40 CdtrAcct?:Account38 UltmtCdtr?:Party40 Purp?:cd4
MandateChoice1 | DrctDbtMndt?:Mandate14 CdtTrfMndt?:CreditMandate1
OriginalTransaction31 < OriginalTransaction28 MndtRltdInf:MandateChoice1
OriginalTransaction32 < OriginalTransaction31 Purp>UndrlygCstmrCdtTrf?:CoverTransfer45
Charges5 > Amt:amount Pty:Agent4
PaymentStatus25 > StsId?:x35 OrgnlInstrId?:x35 OrgnlEndToEndId?:x35 TxSts?:TransactionStatus3 StsRsnInf*:StatusInformation8
  ChrgsInf*:Charges5 AccptncDtTm?:dateTime AcctSvcrRef?:x35 ClrSysRef?:x35 OrgnlTxRef?:OriginalTransaction13
OriginalPayment1 > OrgnlPmtInfId:x35 OrgnlNbOfTxs?:n15 OrgnlCtrlSum?:decimal PmtInfSts?:GroupStatus3 StsRsnInf*:StatusInformation8
  NbOfTxsPerSts*:StatusCount3 TxInfAndSts*:PaymentStatus25
CustomerStatus3 > GrpHdr:Header36 OrgnlGrpInfAndSts:OriginalGroup20 OrgnlPmtInfAndSts*:OriginalPayment1
PaymentStatus105 > StsId?:x35 OrgnlInstrId?:x35 OrgnlEndToEndId?:x35 OrgnlUETR?:uuid TxSts?:x4 StsRsnInf*:StatusInformation12
  ChrgsInf*:Charges7 TrckrData?:Tracker1 AccptncDtTm?:dateTime AcctSvcrRef?:x35 ClrSysRef?:x35 OrgnlTxRef?:OriginalTransaction31
  SplmtryData*:SupplementaryData
Tracker1 > ConfdDt:DateOrTime ConfdAmt:amount TrckrRcrd+:TrackerRecord1
TrackerRecord1 > Agt:Agent6 ChrgBr?:ChargeBearer1 ChrgsAmt?:amount XchgRateData?:CurrencyExchange13
CurrencyExchange13 > SrcCcy:currency TrgtCcy:currency XchgRate:baseRate UnitCcy?:currency
PaymentStatus92 < PaymentStatus105 OrgnlTxRef:OriginalTransaction28
OriginalPayment31 < OriginalPayment32 TxInfAndSts:PaymentStatus92
CustomerStatus10 < CustomerStatus11 OrgnlPmtInfAndSts:OriginalPayment31
OriginalPayment32 > OrgnlPmtInfId:x35 OrgnlNbOfTxs?:n15 OrgnlCtrlSum?:decimal PmtInfSts?:x4 StsRsnInf*:StatusInformation12
  NbOfTxsPerSts*:StatusCount5 TxInfAndSts*:PaymentStatus105
CustomerStatus11 > GrpHdr:Header86 OrgnlGrpInfAndSts:OriginalGroup17 OrgnlPmtInfAndSts*:OriginalPayment32 SplmtryData*:SupplementaryData
MandateChoice2 < MandateChoice1 DrctDbtMndt:Mandate15
OriginalTransaction35 < OriginalTransaction31 SttlmInf:Settlement11 MndtRltdInf:MandateChoice2 RmtInf:Remittance21 DbtrAcct:Account40
  DbtrAgtAcct:Account40 CdtrAgtAcct:Account40 CdtrAcct:Account40
PaymentStatus129 < PaymentStatus105 OrgnlTxRef:OriginalTransaction35
OriginalPayment40 < OriginalPayment32 TxInfAndSts:PaymentStatus129
CustomerStatus12 < CustomerStatus11 OrgnlPmtInfAndSts:OriginalPayment40
PaymentStatus144 < PaymentStatus129 ChrgsInf:Charges12
OriginalPayment45 < OriginalPayment40 TxInfAndSts:PaymentStatus144
CustomerStatus13 < CustomerStatus12 OrgnlPmtInfAndSts:OriginalPayment45
Header128 < Header86 InitgPty:PartyId272 FwdgAgt:Agent8 DbtrAgt:Agent8 CdtrAgt:Agent8
StatusInformation14 < StatusInformation12 Orgtr:PartyId272
OriginalGroup22 < OriginalGroup17 StsRsnInf:StatusInformation14
MandateChoice3 < MandateChoice2 DrctDbtMndt:Mandate16
OriginalTransaction42 < OriginalTransaction35 CdtrSchmeId:PartyId272 SttlmInf:Settlement15 MndtRltdInf:MandateChoice3 RmtInf:Remittance22
  UltmtDbtr:Party50 Dbtr:Party50 DbtrAgt:Agent8 CdtrAgt:Agent8 Cdtr:Party50 UltmtCdtr:Party50
TrackerRecord5 < TrackerRecord1 Agt:Agent8
Tracker7 < Tracker1 TrckrRcrd:TrackerRecord5
PaymentStatus160 < PaymentStatus144 StsRsnInf:StatusInformation14 ChrgsInf:Charges16 TrckrData:Tracker7 OrgnlTxRef:OriginalTransaction42
OriginalPayment51 < OriginalPayment45 StsRsnInf:StatusInformation14 TxInfAndSts:PaymentStatus160
CustomerStatus14 < CustomerStatus13 GrpHdr:Header128 OrgnlGrpInfAndSts:OriginalGroup22 OrgnlPmtInfAndSts:OriginalPayment51

Header91 > MsgId:x35 CreDtTm:dateTime InstgAgt?:Agent6 InstdAgt?:Agent6
OriginalQuery1 > MsgId:x35 MsgNmId?:x35 CreDtTm?:dateTime
OriginalReference29 > OrgnlMsgId:x35 OrgnlMsgNmId:x35 OrgnlCreDtTm?:dateTime
PaymentStatus110 > StsId?:x35 OrgnlGrpInf?:OriginalReference29 OrgnlInstrId?:x35 OrgnlEndToEndId?:x35 OrgnlTxId?:x35 OrgnlUETR?:uuid
  TxSts?:x4 StsRsnInf*:StatusInformation12 ChrgsInf*:Charges7 AccptncDtTm?:dateTime FctvIntrBkSttlmDt?:DateOrTime AcctSvcrRef?:x35
  ClrSysRef?:x35 InstgAgt?:Agent6 InstdAgt?:Agent6 OrgnlTxRef?:OriginalTransaction28 SplmtryData*:SupplementaryData
InstitutionStatus10 > GrpHdr:Header91 OrgnlGrpInfAndSts*:OriginalGroup17 TxInfAndSts*:PaymentStatus110 SplmtryData*:SupplementaryData
PaymentStatus111 < PaymentStatus110 OrgnlTxRef:OriginalTransaction31
Header37 < Header91 InstgAgt:Agent4 InstdAgt:Agent4
PaymentStatus26 > StsId?:x35 OrgnlInstrId?:x35 OrgnlEndToEndId?:x35 OrgnlTxId?:x35 TxSts?:TransactionStatus3 StsRsnInf*:StatusInformation8
  ChrgsInf*:Charges5 AccptncDtTm?:dateTime AcctSvcrRef?:x35 ClrSysRef?:x35 InstgAgt?:Agent4 InstdAgt?:Agent4
  OrgnlTxRef?:OriginalTransaction13
InstitutionStatus3 > GrpHdr:Header37 OrgnlGrpInfAndSts:OriginalGroup20 TxInfAndSts*:PaymentStatus26
InstitutionStatus11 < InstitutionStatus10 TxInfAndSts:PaymentStatus111
Header101 < Header91 InstdAgt>OrgnlBizQry?:OriginalQuery1
PaymentStatus130 < PaymentStatus111 OrgnlTxRef:OriginalTransaction35
InstitutionStatus12 < InstitutionStatus11 GrpHdr:Header101 TxInfAndSts:PaymentStatus130
PaymentStatus142 < PaymentStatus130 ChrgsInf:Charges12 AccptncDtTm>PrcgDt?:DateOrTime
InstitutionStatus13 < InstitutionStatus12 TxInfAndSts:PaymentStatus142
Header120 < Header101 InstgAgt:Agent8 InstdAgt:Agent8
PaymentStatus161 < PaymentStatus142 StsRsnInf:StatusInformation14 ChrgsInf:Charges16 InstgAgt:Agent8 InstdAgt:Agent8
  OrgnlTxRef:OriginalTransaction42
InstitutionStatus14 < InstitutionStatus13 GrpHdr:Header120 OrgnlGrpInfAndSts:OriginalGroup22 TxInfAndSts:PaymentStatus161

Header90 > MsgId:x35 CreDtTm:dateTime Authstn{0,2}:Authorisation1 BtchBookg?:boolean NbOfTxs:n15 CtrlSum?:decimal GrpRtr?:boolean
  TtlRtrdIntrBkSttlmAmt?:settled IntrBkSttlmDt?:date SttlmInf:Settlement7 InstgAgt?:Agent6 InstdAgt?:Agent6
ReturnReason6 > Orgtr?:PartyId135 Rsn?:cd4 AddtlInf*:x105
OriginalGroup18 > OrgnlMsgId:x35 OrgnlMsgNmId:x35 OrgnlCreDtTm?:dateTime RtrRsnInf*:ReturnReason6
ReturnChain8 > UltmtDbtr?:Party40 Dbtr:Party40 DbtrAcct?:Account38 InitgPty?:Party40 DbtrAgt?:Agent6 DbtrAgtAcct?:Account38
  PrvsInstgAgt1?:Agent6 PrvsInstgAgt1Acct?:Account38 PrvsInstgAgt2?:Agent6 PrvsInstgAgt2Acct?:Account38 PrvsInstgAgt3?:Agent6
  PrvsInstgAgt3Acct?:Account38 IntrmyAgt1?:Agent6 IntrmyAgt1Acct?:Account38 IntrmyAgt2?:Agent6 IntrmyAgt2Acct?:Account38
  IntrmyAgt3?:Agent6 IntrmyAgt3Acct?:Account38 CdtrAgt?:Agent6 CdtrAgtAcct?:Account38 Cdtr:Party40 CdtrAcct?:Account38 UltmtCdtr?:Party40
Return118 > RtrId?:x35 OrgnlGrpInf?:OriginalReference29 OrgnlInstrId?:x35 OrgnlEndToEndId?:x35 OrgnlTxId?:x35 OrgnlUETR?:uuid
  OrgnlClrSysRef?:x35 OrgnlIntrBkSttlmAmt?:amount OrgnlIntrBkSttlmDt?:date RtrdIntrBkSttlmAmt:settled IntrBkSttlmDt?:date
  SttlmPrty?:Priority3 SttlmTmIndctn?:TimeIndication1 RtrdInstdAmt?:amount XchgRate?:baseRate CompstnAmt?:amount ChrgBr?:ChargeBearer1
  ChrgsInf*:Charges7 ClrSysRef?:x35 InstgAgt?:Agent6 InstdAgt?:Agent6 RtrChain?:ReturnChain8 RtrRsnInf*:ReturnReason6
  OrgnlTxRef?:OriginalTransaction32 SplmtryData*:SupplementaryData
PaymentReturn10 > GrpHdr:Header90 OrgnlGrpInf?:OriginalGroup18 TxInf*:Return118 SplmtryData*:SupplementaryData
ReturnChain7 < ReturnChain8 -DbtrAcct -DbtrAgtAcct -PrvsInstgAgt1Acct -PrvsInstgAgt2Acct -PrvsInstgAgt3Acct -IntrmyAgt1Acct
  -IntrmyAgt2Acct -IntrmyAgt3Acct -CdtrAgtAcct -CdtrAcct
Return112 < Return118 RtrChain:ReturnChain7 OrgnlTxRef:OriginalTransaction28
PaymentReturn9 < PaymentReturn10 TxInf:Return112
Header38 < Header90 SttlmInf:Settlement13 InstgAgt:Agent4 InstdAgt:Agent4
ReturnReason9 < ReturnReason6 Orgtr:PartyId32
OriginalGroup21 < OriginalGroup18 RtrRsnInf:ReturnReason9
Return27 > RtrId?:x35 OrgnlGrpInf?:OriginalReference29 OrgnlInstrId?:x35 OrgnlEndToEndId?:x35 OrgnlTxId?:x35 OrgnlClrSysRef?:x35
  OrgnlIntrBkSttlmAmt?:amount RtrdIntrBkSttlmAmt:settled IntrBkSttlmDt?:date RtrdInstdAmt?:amount XchgRate?:baseRate CompstnAmt?:amount
  ChrgBr?:ChargeBearer1 ChrgsInf*:Charges5 InstgAgt?:Agent4 InstdAgt?:Agent4 RtrRsnInf*:ReturnReason9 OrgnlTxRef?:OriginalTransaction13
PaymentReturn2 > GrpHdr:Header38 OrgnlGrpInf?:OriginalGroup21 TxInf*:Return27
Header123 < Header90 SttlmInf:Settlement15 SttlmInf>PmtTpInf?:PaymentType28 InstgAgt:Agent8 InstdAgt:Agent8
ReturnReason7 < ReturnReason6 Orgtr:PartyId272
OriginalGroup19 < OriginalGroup18 RtrRsnInf:ReturnReason7
OriginalTransaction41 < OriginalTransaction42 Purp>UndrlygCstmrCdtTrf?:CoverTransfer63
ReturnChain11 < ReturnChain8 UltmtDbtr:Party50 Dbtr:Party50 DbtrAcct:Account40 InitgPty:Party50 DbtrAgt:Agent8 DbtrAgtAcct:Account40
  PrvsInstgAgt1:Agent8 PrvsInstgAgt1Acct:Account40 PrvsInstgAgt2:Agent8 PrvsInstgAgt2Acct:Account40 PrvsInstgAgt3:Agent8
  PrvsInstgAgt3Acct:Account40 IntrmyAgt1:Agent8 IntrmyAgt1Acct:Account40 IntrmyAgt2:Agent8 IntrmyAgt2Acct:Account40 IntrmyAgt3:Agent8
  IntrmyAgt3Acct:Account40 CdtrAgt:Agent8 CdtrAgtAcct:Account40 Cdtr:Party50 CdtrAcct:Account40 UltmtCdtr:Party50
Return159 < Return118 OrgnlIntrBkSttlmDt>PmtTpInf?:PaymentType28 SttlmTmIndctn>SttlmTmReq?:TimeRequest2 ChrgsInf:Charges16
  InstgAgt:Agent8 InstdAgt:Agent8 RtrChain:ReturnChain11 RtrRsnInf:ReturnReason7 OrgnlTxRef:OriginalTransaction41
PaymentReturn13 < PaymentReturn10 GrpHdr:Header123 OrgnlGrpInf:OriginalGroup19 TxInf:Return159
`;
