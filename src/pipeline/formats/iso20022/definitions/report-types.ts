/** Statements, reports and notifications from version 3 on. The notation is that of `notation.ts`. */
export const reportTypes = `
Header58 < Header42 MsgRcpt:PartyId43 MsgPgntn>OrgnlBizQry?:OriginalQuery1
SequenceRange1 > FrSeq:x35 ToSeq:x35
SequenceRanges1 | FrSeq:x35 ToSeq:x35 FrToSeq+:SequenceRange1 EQSeq+:x35 NEQSeq+:x35
Balance7 < Balance3
Parties3 < Parties2 InitgPty:PartyId43 Dbtr:PartyId43 DbtrAcct:Account24 UltmtDbtr:PartyId43 Cdtr:PartyId43 CdtrAcct:Account24
  UltmtCdtr:PartyId43 TradgPty:PartyId43 Prtry:ProprietaryParty3
ProprietaryParty3 > Tp:x35 Pty:PartyId43
ProprietaryAgent3 > Tp:x35 Agt:Agent5
Agents3 > DbtrAgt?:Agent5 CdtrAgt?:Agent5 IntrmyAgt1?:Agent5 IntrmyAgt2?:Agent5 IntrmyAgt3?:Agent5 RcvgAgt?:Agent5 DlvrgAgt?:Agent5
  IssgAgt?:Agent5 SttlmPlc?:Agent5 Prtry*:ProprietaryAgent3
References3 > MsgId?:x35 AcctSvcrRef?:x35 PmtInfId?:x35 InstrId?:x35 EndToEndId?:x35 TxId?:x35 MndtId?:x35 ChqNb?:x35 ClrSysRef?:x35
  AcctOwnrTxId?:x35 AcctSvcrTxId?:x35 MktInfrstrctrTxId?:x35 PrcgId?:x35 Prtry*:ProprietaryReference1
ChargeRecord1 > Amt:amount CdtDbtInd?:CreditDebit ChrgInclInd?:boolean Tp?:ChargeType3 Rate?:rate Br?:ChargeBearer1 Agt?:Agent5
  Tax?:TaxCharges2
EntryChargesTotal4 > TtlChrgsAndTaxAmt?:amount Rcrd*:ChargeRecord1
InterestRecord1 > Amt:amount CdtDbtInd:CreditDebit Tp?:InterestType1 Rate?:Rate3 FrToDt?:TimePeriod Rsn?:x35 Tax?:TaxCharges2
Interest3 > TtlIntrstAndTaxAmt?:amount Rcrd*:InterestRecord1
AmountAndSide35 > Amt:nonNegative CdtDbtInd:CreditDebit
Sum4 > NbOfNtries?:n15 Sum?:decimal TtlNetNtry?:AmountAndSide35
SumPerCode3 > NbOfNtries?:n15 Sum?:decimal TtlNetNtry?:AmountAndSide35 FcstInd?:boolean BkTxCd:TransactionCode4 Avlbty*:Availability2
Totals4 > TtlNtries?:Sum4 TtlCdtNtries?:Sum1 TtlDbtNtries?:Sum1 TtlNtriesPerBkTxCd*:SumPerCode3
PriceValue1 = DISC PREM PARV
YieldedOrValue1 | Yldd:boolean ValTp:PriceValue1
PriceRateOrAmount | Rate:rate Amt:amount13
Price2b > Tp:YieldedOrValue1 Val:PriceRateOrAmount
Price3 | DealPric:Price2b Prtry+:ProprietaryPrice2
OriginalAndCurrent1 > FaceAmt:implied AmtsdVal:implied
Quantities2 | Qty:InstrumentQuantity OrgnlAndCurFaceAmt:OriginalAndCurrent1 Prtry:ProprietaryQuantity1
OtherSecurity1 > Id:x35 Sfx?:x16 Tp:cd4
Security14 > ISIN?:isin OthrId*:OtherSecurity1 Desc?:x140
Return2 > OrgnlBkTxCd?:TransactionCode4 Orgtr?:PartyId43 Rsn?:cd4 AddtlInf*:x105
CorporateAction9 > EvtTp:x35 EvtId:x35
SafekeepingAccount13 > Id:x35 Tp?:GenericId30 Nm?:x70
CashDeposit1 > NoteDnmtn:amount NbOfNotes:n15 Amt:amount
PlainCard1 > PAN:n8to28 CardSeqNb?:n2to3 FctvDt?:gYearMonth XpryDt:gYearMonth SvcCd?:N3 TrckData*:Track1 CardSctyCd?:CardSecurity1
Track1 > TrckNb?:N1 TrckVal:x140
CardSecurityMode1 = PRST BYPS UNRD NCSC
CardSecurity1 > CSCMgmt:CardSecurityMode1 CSCVal?:n3to4
Card4 > PlainCardData?:PlainCard1 CardCtryCd?:N3 CardBrnd?:GenericId1 AddtlCardData?:x70
Interaction1 > Id:GenericId32 SysNm?:x70 GrpId?:x35 Cpblties?:Capabilities1 Cmpnt*:Component1
CardReading1 = TAGC PHYS BRCD MGST CICC DFLE CTLS ECTL
CardholderCheck1 = MNSG NPIN FCPN FEPN FDSG FBIO MNVR FBIG APKI PKIS CHDT SCEC
OnLine1 = OFLN ONLN SMON
UserInterface2 = MDSP CDSP
Display1 > DispTp:UserInterface2 NbOfLines:n3 LineWidth:n3
Capabilities1 > CardRdngCpblties*:CardReading1 CrdhldrVrfctnCpblties*:CardholderCheck1 OnLineCpblties?:OnLine1 DispCpblties*:Display1
  PrtLineWidth?:n3
ComponentType1 = SOFT EMVK EMVO MRIT CHIT SECM PEDV
Component1 > POICmpntTp:ComponentType1 ManfctrId?:x35 Mdl?:x35 VrsnNb?:x16 SrlNb?:x35 ApprvlNb*:x70
Unit1 = PIEC TONS FOOT GBGA USGA GRAM INCH KILO PUND METR CMET MMET LITR CELI MILI GBOU USOU GBQA USQA GBPI USPI MILE KMET YARD SQKI HECT
  ARES SMET SCMT SMIL SQMI SQYA SQFO SQIN ACRE
Product2 > PdctCd:x70 UnitOfMeasr?:Unit1 PdctQty?:decimal UnitPric?:implied PdctAmt?:implied TaxTp?:x35 AddtlPdctInf?:x35
CardService2 = AGGR DCCV GRTT INSP LOYT NRES PUCO RECP SOAF UNAF VCAU
TransactionId1 > TxDtTm:dateTime TxRef:x35
CardIndividual1 > AddtlSvc?:CardService2 TxCtgy?:x4 SaleRcncltnId?:x35 SaleRefNb?:x35 SeqNb?:x35 TxId?:TransactionId1 Pdct?:Product2
  VldtnDt?:date VldtnSeqNb?:x35
NumberRange1 > FrstTx?:x35 LastTx?:x35
DateOrPeriod | Dt:DatePeriod DtTm:TimePeriod
CardAggregated1 > AddtlSvc?:CardService2 TxCtgy?:x4 SaleRcncltnId?:x35 SeqNbRg?:NumberRange1 TxDtRg?:DateOrPeriod
CardEntry1 > Card?:Card4 POI?:Interaction1 AggtdNtry?:CardAggregated1
CardChoice1 | Aggtd:CardAggregated1 Indv:CardIndividual1
CardTransaction1 > Card?:Card4 POI?:Interaction1 Tx?:CardChoice1
EntryTransaction4 > Refs?:References3 Amt:amount CdtDbtInd:CreditDebit AmtDtls?:AmountDetails3 Avlbty*:Availability2
  BkTxCd?:TransactionCode4 Chrgs?:EntryChargesTotal4 Intrst?:Interest3 RltdPties?:Parties3 RltdAgts?:Agents3 Purp?:cd4
  RltdRmtInf{0,10}:Location2 RmtInf?:Remittance7 RltdDts?:Dates2 RltdPric?:Price3 RltdQties*:Quantities2 FinInstrmId?:Security14 Tax?:Tax3
  RtrInf?:Return2 CorpActn?:CorporateAction9 SfkpgAcct?:SafekeepingAccount13 CshDpst*:CashDeposit1 CardTx?:CardTransaction1
  AddtlTxInf?:x500 SplmtryData*:SupplementaryData
EntryDetails3 > Btch?:Batch2 TxDtls*:EntryTransaction4
Entry4 < Entry2 Chrgs?:EntryChargesTotal4 Intrst?:Interest3 Intrst>CardTx?:CardEntry1 NtryDtls:EntryDetails3
AccountInterest3 < AccountInterest2 Rsn>Tax?:TaxCharges2
Statement4 < Statement2 Acct:Account25 RltdAcct:Account24 Intrst:AccountInterest3 TxsSummry:Totals4 Ntry:Entry4 Id>StmtPgntn?:Pagination
Report12 < Statement4 Bal*:Balance3 AddtlStmtInf>AddtlRptInf?:x500 -AddtlStmtInf StmtPgntn>RptPgntn?:Pagination -StmtPgntn
Notification4 < Report12 -Bal Intrst:AccountInterest2 AddtlRptInf>AddtlNtfctnInf?:x500 -AddtlRptInf RptPgntn>NtfctnPgntn?:Pagination
  -RptPgntn
Statement5 < Statement4 Intrst:AccountInterest2
ToCustomerStatement4 > GrpHdr:Header58 Stmt+:Statement5 SplmtryData*:SupplementaryData
Charges3 > TtlChrgsAndTaxAmt?:amount Rcrd*:ChargeRecord0
ChargeRecord0 < ChargeRecord1 -ChrgInclInd
EntryTransaction3 < EntryTransaction4 Chrgs*:Charges3 Intrst*:Interest3 -SplmtryData
EntryDetails2 > Btch?:Batch2 TxDtls*:EntryTransaction3
Entry3 < Entry4 Chrgs*:Charges3 Intrst*:Interest3 NtryDtls:EntryDetails2
Statement3 < Statement4 Intrst:AccountInterest2 TxsSummry:Totals2 Ntry:Entry3
ToCustomerStatement3 > GrpHdr:Header58 Stmt+:Statement3 SplmtryData*:SupplementaryData
ToCustomerReport4 > GrpHdr:Header58 Rpt+:Report12 SplmtryData*:SupplementaryData
PaymentContext3 > CardPres?:boolean CrdhldrPres?:boolean OnLineCntxt?:boolean AttndncCntxt?:Attendance1 TxEnvt?:Environment1
  TxChanl?:Channel1 AttndntMsgCpbl?:boolean AttndntLang?:language CardDataNtryMd:CardReading1 FllbckInd?:boolean
  AuthntcnMtd?:CardholderAuthentication2
Attendance1 = ATTD SATT UATT
Environment1 = MERC PRIV PUBL
Channel1 = MAIL TLPH ECOM TVPY
CardholderAuthentication2 > AuthntcnMtd:AuthenticationMethod1 AuthntcnNtty:AuthenticationEntity1
AuthenticationMethod1 = UKNW BYPS NPIN FPIN CPSG PPSG MANU MERC SCRT SNCT SCNL
AuthenticationEntity1 = ICCD AGNT MERC
CardIndividual2 < CardIndividual1 ^>ICCRltdData?:x1025 ICCRltdData>PmtCntxt?:PaymentContext3 SaleRefNb>RePresntmntRsn?:x4
CardChoice2 | Aggtd:CardAggregated1 Indv:CardIndividual2
CardEntry2 < CardEntry1 AggtdNtry>PrePdAcct?:Account24
CardTransaction2 < CardTransaction1 Tx:CardChoice2 Tx>PrePdAcct?:Account24
Security18 < Security14 ISIN:isin2015
EntryTransaction8 < EntryTransaction4 RltdRmtInf:Location4 RmtInf:Remittance11 FinInstrmId:Security18 CardTx:CardTransaction2
EntryDetails7 > Btch?:Batch2 TxDtls*:EntryTransaction8
Entry8 < Entry4 CardTx:CardEntry2 NtryDtls:EntryDetails7
Report19 < Report12 Ntry:Entry8
ToCustomerReport6 < ToCustomerReport4 Rpt:Report19
CardEntry4 < CardEntry2 PrePdAcct:Account38
CardTransaction17 < CardTransaction2 PrePdAcct:Account38
ToCustomerNotification4 > GrpHdr:Header58 Ntfctn+:Notification4 SplmtryData*:SupplementaryData
Statement6 < Statement4 Ntry:Entry8
ToCustomerStatement6 < ToCustomerStatement4 Stmt:Statement6
Notification12 < Notification4 Intrst:AccountInterest3 Ntry:Entry8
ToCustomerNotification6 < ToCustomerNotification4 Ntfctn:Notification12

Header81 < Header42 MsgRcpt:PartyId135 MsgPgntn>OrgnlBizQry?:OriginalQuery1
AmountRange3 > Amt:ImpliedRange CdtDbtInd?:CreditDebit Ccy:currency
Rate4 > Tp:RateType4 VldtyRg?:AmountRange3
AccountInterest4 > Tp?:InterestType1 Rate*:Rate4 FrToDt?:TimePeriod Rsn?:x35 Tax?:TaxCharges2
BalanceType13 > CdOrPrtry:cd4 SubTp?:cd4
CreditLine3 > Incl:boolean Tp?:cd4 Amt?:amount Dt?:DateOrTime
Balance8 > Tp:BalanceType13 CdtLine*:CreditLine3 Amt:amount CdtDbtInd:CreditDebit Dt:DateOrTime Avlbty*:Availability2
SumPerCode5 > NbOfNtries?:n15 Sum?:decimal TtlNetNtry?:AmountAndSide35 CdtNtries?:Sum1 DbtNtries?:Sum1 FcstInd?:boolean
  BkTxCd:TransactionCode4 Avlbty*:Availability2 Dt?:DateOrTime
Totals6 > TtlNtries?:Sum4 TtlCdtNtries?:Sum1 TtlDbtNtries?:Sum1 TtlNtriesPerBkTxCd*:SumPerCode5
ChargeRecord3 < ChargeRecord1 Agt:Agent6
EntryChargesTotal6 > TtlChrgsAndTaxAmt?:amount Rcrd*:ChargeRecord3
InterestRecord2 < InterestRecord1 Rate:Rate4
Interest4 > TtlIntrstAndTaxAmt?:amount Rcrd*:InterestRecord2
ProprietaryParty5 > Tp:x35 Pty:Party40
ProprietaryAgent4 > Tp:x35 Agt:Agent6
Parties6 > InitgPty?:Party40 Dbtr?:Party40 DbtrAcct?:Account38 UltmtDbtr?:Party40 Cdtr?:Party40 CdtrAcct?:Account38 UltmtCdtr?:Party40
  TradgPty?:Party40 Prtry*:ProprietaryParty5
Agents5 > InstgAgt?:Agent6 InstdAgt?:Agent6 DbtrAgt?:Agent6 CdtrAgt?:Agent6 IntrmyAgt1?:Agent6 IntrmyAgt2?:Agent6 IntrmyAgt3?:Agent6
  RcvgAgt?:Agent6 DlvrgAgt?:Agent6 IssgAgt?:Agent6 SttlmPlc?:Agent6 Prtry*:ProprietaryAgent4
References6 > MsgId?:x35 AcctSvcrRef?:x35 PmtInfId?:x35 InstrId?:x35 EndToEndId?:x35 UETR?:uuid TxId?:x35 MndtId?:x35 ChqNb?:x35
  ClrSysRef?:x35 AcctOwnrTxId?:x35 AcctSvcrTxId?:x35 MktInfrstrctrTxId?:x35 PrcgId?:x35 Prtry*:ProprietaryReference1
Return5 > OrgnlBkTxCd?:TransactionCode4 Orgtr?:PartyId135 Rsn?:cd4 AddtlInf*:x105
SafekeepingAccount19 < SafekeepingAccount13
Security19 < Security18
EntryTransaction10 < EntryTransaction4 Refs:References6 Amt?:amount CdtDbtInd?:CreditDebit Chrgs:EntryChargesTotal6 Intrst:Interest4
  RltdPties:Parties6 RltdAgts:Agents5 RltdAgts>LclInstrm?:cd35 RltdRmtInf:Location7 RmtInf:Remittance16 FinInstrmId:Security19 Tax:Tax8
  RtrInf:Return5 SfkpgAcct:SafekeepingAccount19 CardTx:CardTransaction17
EntryDetails9 > Btch?:Batch2 TxDtls*:EntryTransaction10
Entry10 < Entry4 Sts:cd4 CardTx:CardEntry4 Chrgs:EntryChargesTotal6 Intrst:Interest4 NtryDtls:EntryDetails9
Statement9 < Statement4 ElctrncSeqNb>RptgSeq?:SequenceRanges1 CreDtTm?:dateTime Acct:Account39 RltdAcct:Account38 Intrst:AccountInterest4
  Bal:Balance8 TxsSummry:Totals6 Ntry:Entry10
Report25 < Statement9 Bal*:Balance8 AddtlStmtInf>AddtlRptInf?:x500 -AddtlStmtInf StmtPgntn>RptPgntn?:Pagination -StmtPgntn
Notification17 < Report25 -Bal AddtlRptInf>AddtlNtfctnInf?:x500 -AddtlRptInf RptPgntn>NtfctnPgntn?:Pagination -RptPgntn
ToCustomerStatement8 > GrpHdr:Header81 Stmt+:Statement9 SplmtryData*:SupplementaryData
ToCustomerReport8 > GrpHdr:Header81 Rpt+:Report25 SplmtryData*:SupplementaryData
ToCustomerNotification8 > GrpHdr:Header81 Ntfctn+:Notification17 SplmtryData*:SupplementaryData
`;
